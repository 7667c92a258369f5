/**
 * Settings of the brand: a value that nobody has changed is the default of the contract, with version 0.
 * Always true: what is stored has passed its schema, and every version stays readable.
 */
import { type Setting, type SettingName, settingDefaults, settingSchemas } from '../../contract/settings.ts'
import type { Database, Db } from '../platform/postgres/database.ts'
import { Problem } from '../platform/problem.ts'
import { lostWrite } from '../platform/versioned.ts'
import { audit } from './audit.ts'
import { type SettingRow, selectSettings, selectSettingVersions, writeSettingRow } from './store.ts'
import { type Actor, NOBODY_ID } from './viewer.ts'

export type ShownSetting = {
  name: SettingName
  value: unknown
  version: number
  changedAt: string | null
  changedBy: string | null
}

/** The present value of one setting. */
export async function setting<Name extends SettingName>(db: Db, name: Name): Promise<Setting<Name>> {
  const [row] = await selectSettings(db, [name])
  return row === undefined ? settingDefaults[name] : (settingSchemas[name].parse(row.value) as Setting<Name>)
}

/** All settings, defaults included. */
export async function listSettings(db: Db): Promise<ShownSetting[]> {
  const rows = new Map((await selectSettings(db)).map((row) => [row.name, row]))
  return (Object.keys(settingSchemas) as SettingName[]).map((name) => shown(name, rows.get(name)))
}

/** Earlier versions, latest first, the default last. */
export async function settingHistory(db: Db, name: SettingName): Promise<ShownSetting[]> {
  const rows = await selectSettingVersions(db, name)
  return [...rows.map((row) => shown(name, row)), shown(name, undefined)]
}

/** Errors: `bad_input` with the field inside the value, `stale_version` with both. */
export async function changeSetting(
  db: Database,
  actor: Actor,
  given: { name: SettingName; version: number; value: unknown },
): Promise<ShownSetting> {
  const read = settingSchemas[given.name].safeParse(given.value)
  if (!read.success) {
    const issue = read.error.issues[0]
    throw new Problem('bad_input', issue?.message ?? 'The value is not valid.', {
      field: ['value', ...(issue?.path ?? [])].join('.'),
    })
  }
  return db.transaction(async (tx) => {
    const before = await setting(tx, given.name)
    const by = actor.viewer.staffId === NOBODY_ID ? null : actor.viewer.staffId
    if (!(await writeSettingRow(tx, { ...given, value: read.data, at: actor.now, by }))) {
      const [theirs] = await selectSettings(tx, [given.name])
      throw lostWrite('setting', given, shown(given.name, theirs))
    }
    await audit(tx, actor, {
      action: 'setting.changed',
      objectKind: 'setting',
      objectId: given.name,
      before,
      after: read.data,
    })
    const [row] = await selectSettings(tx, [given.name])
    return shown(given.name, row)
  })
}

function shown(name: SettingName, row: SettingRow | undefined): ShownSetting {
  if (!row) return { name, value: settingDefaults[name], version: 0, changedAt: null, changedBy: null }
  return {
    name,
    value: row.value,
    version: row.version,
    changedAt: row.changedAt.toISOString(),
    changedBy: row.changedBy,
  }
}
