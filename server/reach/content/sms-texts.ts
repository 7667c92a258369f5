/** Texts of SMS and the templates that the provider has approved for them: a real provider takes nothing else. */
import { type SmsApproval, type SmsText, smsVariables } from '../../../contract/sms-texts.ts'
import { type User, usersByObject } from '../../audience/audience.ts'
import type { Db, Tx } from '../../platform/postgres/database.ts'
import { Problem } from '../../platform/problem.ts'
import { saveContent } from './content.ts'
import * as store from './store.ts'
import { faultOf, variablesOf } from './template.ts'

/** Those that somebody uses, by name. */
export async function listSmsTexts(db: Db): Promise<SmsText[]> {
  const users = await usersByObject(db, 'content')
  const texts = await store.smsContents(db, [...users.keys()])
  return texts.map((text) => shown(text, users.get(text.id) ?? []))
}

export type Approving = {
  id: string
  approval: SmsApproval | null
  version: number
  by: string | null
  now: Date
}

/**
 * Names the template of an SMS, or takes the name back with null.
 * Errors: `not_found`; `bad_input` with the field at fault; `stale_version`.
 */
export async function approveSmsText(tx: Tx, given: Approving): Promise<SmsText> {
  const { id, approval, version, by, now } = given
  checkParams(approval)
  const text = await store.lockContent(tx, id)
  if (text?.channel !== 'sms' || text.retired) throw new Problem('not_found', 'There is no such SMS.')
  const users = (await usersByObject(tx, 'content')).get(id) ?? []
  if (text.version !== version)
    throw new Problem('stale_version', 'The SMS was changed meanwhile.', {
      details: { yours: { approval, version }, theirs: shown(text, users) },
    })
  const { name, channel, kind, body, attachments, demo } = text
  const draft = { id, name, channel, kind, body, attachments, demo, sms: approval, by }
  const written = await saveContent(tx, draft, now)
  return shown({ ...text, sms: approval, version: written.version }, users)
}

function checkParams(approval: SmsApproval | null): void {
  for (const [name, template] of Object.entries(approval?.params ?? {})) {
    const field = `approval.params.${name}`
    const fault = faultOf(template)
    if (fault) throw new Problem('bad_input', `The parameter ${name}: ${fault}`, { field })
    const unknown = variablesOf(template).find((each) => !smsVariables.some((known) => known === each))
    if (unknown)
      throw new Problem('bad_input', `The parameter ${name}: nothing is called ${unknown}.`, { field })
  }
}

function shown({ id, name, body, sms, demo, version }: store.StoredContent, users: readonly User[]): SmsText {
  const usedBy = users.map((user) => ({ kind: user.kind, id: String(user.id), label: user.label }))
  return { id, name, body, approval: sms, demo, version, usedBy }
}
