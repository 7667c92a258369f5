/**
 * Members as a file, phones opened: CSV, and a workbook of several sheets, by the code that serves an export. The limit is
 * COPY of the same columns of the same members out of PostgreSQL, numbers sealed as they stand, in the same run.
 * Run: node bench/export.bench.ts [members]
 */
import { randomBytes } from 'node:crypto'
import { readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { exportColumnKeys, exportColumns } from '../contract/exports.ts'
import { exported } from '../server/insight/insight.ts'
import { type MembersFile, visibleTo, writeMembersFile } from '../server/members/members.ts'
import { systemActor } from '../server/org/org.ts'
import { type Keyring, openKeyring } from '../server/platform/crypto/master-key.ts'
import type { Database } from '../server/platform/postgres/database.ts'
import { type Sql, sql } from '../server/platform/postgres/sql.ts'
import { count, figure, inSeconds, secondsOf } from './figures.ts'
import { inFolder, inPostgres } from './stores.ts'

const MEMBERS = Number(process.argv[2] ?? 1_000_000)
const CHUNK = 10_000
/** Asking the kernel for the proportional memory costs milliseconds and holds the memory's lock. */
const LOOK_MS = 1000
const now = new Date('2026-03-01T02:00:00Z')
const keys = exportColumnKeys.filter((key) => exportColumns[key].usual)

await inFolder((folder) => inPostgres(folder, (db) => report(db, folder)))

async function report(db: Database, folder: string): Promise<void> {
  const keyring = openKeyring(randomBytes(32))
  await fill(db, keyring)
  const limit = await secondsOf(() => copyOut(db))
  const data = `${count(MEMBERS)} members, ${keys.length} columns`
  figure({ what: 'COPY of the same columns, numbers sealed', data, ours: inSeconds(limit) })
  for (const [format, wanted] of [
    ['csv', 50_000],
    ['xlsx', 20_000],
  ] as const) {
    const path = join(folder, `members.${format}`)
    const memory = watchMemory()
    let written: Awaited<ReturnType<typeof writeMembersFile>> | undefined
    const seconds = await secondsOf(async () => {
      written = await writeMembersFile(db, keyring, fileOf(path, format, keyring), {
        signal: new AbortController().signal,
      })
    })
    const peak = await memory.end()
    if (written?.rows !== MEMBERS) throw new Error(`${written?.rows} of ${MEMBERS} rows`)
    const size = (await stat(path)).size
    figure({
      what: `Export as ${format.toUpperCase()}, phones opened, the file sealed`,
      data: `${data}, ${Math.round(size / 1e6)} MB${format === 'xlsx' ? `, ${written.sheets} sheets` : ''}`,
      ours: `${count(MEMBERS / seconds)} rows/s`,
      limit: `${count(MEMBERS / limit)} rows/s`,
      ratio: limit / seconds,
      wanted: `at least ${count(wanted)} rows/s`,
    })
    figure({
      what: `Memory of the program meanwhile, ${format.toUpperCase()}`,
      data,
      ours: `${peak.before} MB before, at most ${peak.most} MB resident, ${peak.pss} MB proportional`,
      wanted: 'flat',
    })
    await rm(path)
  }
}

function fileOf(path: string, format: 'csv' | 'xlsx', { cipher }: Keyring): MembersFile {
  return {
    path,
    format,
    ...exported(keys, { lang: 'zh', zone: 'Asia/Shanghai' }),
    where: visibleTo(systemActor(now).viewer),
    open: { names: true, phones: true },
    sheetName: '会员',
    // Several sheets also where one would hold them.
    sheetRows: Math.min(1_048_576, Math.ceil(MEMBERS / 2) + 1),
    seal: { key: cipher.newKey('export:bench').key, context: 'export:bench' },
  }
}

/** What of the database has to be read and sent for these columns, without any work on it here. */
async function copyOut(db: Database): Promise<void> {
  await db.run(sql`
    copy (
      select person.public_id, person.name, person.kind, person.gender, person.birthday, person.city,
        to_char(person.joined_at at time zone 'Asia/Shanghai', 'YYYY-MM-DD HH24:MI'), person.source, s.name, g.name,
        st.lifecycle, to_char(st.last_purchase_at at time zone 'Asia/Shanghai', 'YYYY-MM-DD HH24:MI'), st.purchases,
        st.spent_cents, ph.data_key, ph.secret, ph.digest
      from person left join store s on s.id = person.home_store_id left join staff g on g.id = person.owner_staff_id
        left join person_state st on st.person_id = person.id
        left join lateral (
          select pr.data_key, pr.secret, i.digest from profile pr join identifier i on i.profile_id = pr.id
          where pr.person_id = person.id and i.kind = 'phone' and i.state = 'active'
          order by i.valid desc, i.at desc limit 1) ph on true
      where person.state = 'live' order by person.id
    ) to '/dev/null' with (format csv)`)
}

async function fill(db: Database, { cipher, index }: Keyring): Promise<void> {
  await db.run(sql`
    insert into store (id, code, name, side, created_at)
    select gen_random_uuid(), 'S' || i, '门店' || i, 'offline', ${now} from generate_series(1, 200) i`)
  await db.run(sql`
    insert into staff (id, login, name, created_at)
    select gen_random_uuid(), 'guide' || i, '导购' || i, ${now} from generate_series(1, 500) i`)
  await db.run(persons())
  for (let from = 1; from <= MEMBERS; from += CHUNK) {
    const ids = Array.from({ length: Math.min(CHUNK, MEMBERS - from + 1) }, (_, at) => from + at)
    const rows = ids.map((id) => {
      const phone = `+8613${String(100_000_000 + ((id * 7919) % 900_000_000))}`
      const digest = index.digest('phone', '', phone).toString('hex')
      const context = `profile:${id}`
      const { key, wrapped } = cipher.newKey(context)
      return { digest, wrapped, secret: cipher.seal(key, JSON.stringify({ [digest]: phone }), context) }
    })
    await db.run(sql`
      insert into profile (id, person_id, source, key, attributes, data_key, secret, created_at)
      select id, id, 'erp', int4send(id), '{}', key, secret, ${now}
      from unnest(${ids}::int[], ${rows.map((row) => row.wrapped)}::bytea[], ${rows.map((row) => row.secret)}::bytea[]) t (id, key, secret)`)
    await db.run(sql`
      insert into identifier (profile_id, kind, scope, digest, first, state, valid, links, form, at)
      select id, 'phone', '', decode(digest, 'hex'), true, 'active', true, true, 'mobile', ${now}
      from unnest(${ids}::int[], ${rows.map((row) => row.digest)}::text[]) t (id, digest)`)
  }
  await db.run(sql`
    insert into person_state (person_id, lifecycle, own_cycle, order_stage, aipl, join_recency, interaction_silent, purchases,
      spent_cents, first_purchase_at, last_purchase_at, reading, changed_at)
    select i, 'active', 'unknown', 'more', 'loyalty', 'historical', false, 3, 100000 + i % 900000, ${now}, ${now}, 1, ${now}
    from generate_series(1, ${MEMBERS}::int) i`)
  await db.run(sql`analyze`)
}

function persons(): Sql {
  return sql`
    with stores as (select id, row_number() over (order by code) - 1 as place from store),
      guides as (select id, row_number() over (order by login) - 1 as place from staff)
    insert into person (id, public_id, kind, name, gender, birthday, city, joined_at, source, home_store_id, owner_staff_id, phone, first_seen_at, changed_at)
    select i, gen_random_uuid(), 'member', (array['王','李','张','刘','陈'])[1 + i % 5] || (array['伟','芳','娜敏','秀英','建国'])[1 + i / 5 % 5],
      case i % 3 when 0 then 'female' when 1 then 'male' end, to_char(date '1970-01-01' + i % 12000, 'YYYY-MM-DD'),
      (array['杭州','上海','北京'])[1 + i % 3], ${now}::timestamptz - (i * 7919::bigint % 1200) * interval '1 day', 'organic',
      stores.id, guides.id, 'mobile', ${now}, ${now}
    from generate_series(1, ${MEMBERS}::int) i join stores on stores.place = i % 200 join guides on guides.place = i % 500`
}

/** Resident and proportional memory of this process, its threads included, in MB. */
function watchMemory(): { end(): Promise<{ before: number; most: number; pss: number }> } {
  const megabytes = (bytes: number): number => Math.round(bytes / 1e6)
  const before = process.memoryUsage.rss()
  let most = before
  let pss = 0
  const looking = setInterval(() => {
    most = Math.max(most, process.memoryUsage.rss())
    void readFile('/proc/self/smaps_rollup', 'utf8').then(
      (text) => {
        pss = Math.max(pss, Number(/^Pss:\s+(\d+)/m.exec(text)?.[1] ?? 0) * 1024)
      },
      () => undefined,
    )
  }, LOOK_MS)
  return {
    async end() {
      clearInterval(looking)
      return { before: megabytes(before), most: megabytes(most), pss: megabytes(pss) }
    },
  }
}
