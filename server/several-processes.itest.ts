/**
 * Two processes that serve and two that work, over one PostgreSQL and one ClickHouse that belong to none of them. Tags
 * are put on through both addresses while files come in; the worker that holds the projection and one of the servers
 * are killed and nobody starts them again. Leases move, and afterwards both stores have everything, once.
 */
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, expect, test } from 'vitest'
import { everyMember, ownerKey, prepareTag, putTag } from '../test/support/api-client.ts'
import { testClickHouse } from '../test/support/clickhouse.ts'
import { emptyDatabase } from '../test/support/database.ts'
import { Kept, runOnce } from '../test/support/program.ts'
import { hasCaughtUp } from './events/events.ts'
import { sql } from './platform/postgres/sql.ts'

const PEOPLE = 60
const ORDERS_A_FILE = 400
const FILES = 3
const PATIENCE_MS = 240_000

const folder = await mkdtemp(join(tmpdir(), 'liuliang-several-'))
const db = await emptyDatabase()
const clickhouse = await testClickHouse()
const { user, password, url, database } = clickhouse.options
const environment = {
  LIULIANG_DATA: join(folder, 'data'),
  LIULIANG_LOG: 'error',
  LIULIANG_MASTER_KEY: randomBytes(32).toString('hex'),
  DATABASE_URL: db.url,
  CLICKHOUSE_URL: `${url.replace('://', `://${user}:${password}@`)}/${database}`,
}
const all: Kept[] = []

afterAll(async () => {
  await Promise.all(all.map((one) => one.stop()))
  await rm(folder, { recursive: true, force: true })
})

test('when one server and the worker at work fall, the others go on, and nothing is lost or doubled', async () => {
  // All at once: they build the same schema and make the first owner, who must be one.
  const servers = [begin('serve'), begin('serve')]
  const workers = [begin('work'), begin('work')]
  for (const one of servers) await one.tells('address', PATIENCE_MS)
  for (const one of workers) await one.tells('working', PATIENCE_MS)
  const owners = all.filter(({ told }) => told['firstSignIn'] !== undefined)
  expect(owners).toHaveLength(1)
  const [first, falling] = [owners[0], servers[0]]
  if (!first || !falling) throw new Error('nobody has made the owner')

  let turn = 0
  const standing = new Set(servers)
  const call = await ownerKey(first, async () => {
    turn += 1
    const up = [...standing]
    return up[turn % up.length]?.tells('address')
  })
  await importFile(0)
  const { tagId } = await prepareTag(call)
  const members = await everyMember(call)
  expect(members).toHaveLength(PEOPLE)

  const holder = await holderOf('project', workers)
  const importing = (async () => {
    for (let number = 1; number < FILES; number += 1) await importFile(number)
  })()
  const tagging = (async () => {
    for (const { id } of members) await putTag(call, id, tagId)
  })()
  await sleep(500)
  holder.fall()
  standing.delete(falling)
  falling.fall()
  const heir = await holderOf(
    'project',
    workers.filter((worker) => worker !== holder),
  )
  expect(heir.starts).toBe(1)
  await importing
  await tagging

  await settled()
  const orders = Array.from({ length: FILES * ORDERS_A_FILE }, (_, at) => `S${at}`).sort()
  const inPostgres = await db.rows<{ id: string }>(
    sql`select external_id as id from document where kind = 'order' and not deleted`,
  )
  expect(inPostgres.map(({ id }) => id).sort()).toEqual(orders)
  const inClickHouse = await clickhouse.rows<{ id: string }>('select external_id as id from orders final')
  expect(inClickHouse.map(({ id }) => id).sort()).toEqual(orders)
  const logged = await db.rows<{ id: string }>(
    sql`select id from event_log where type <> 'order_recorded' order by id`,
  )
  const projected = await clickhouse.rows<{ id: string }>('select id from events')
  expect(projected.map(({ id }) => id).sort()).toEqual(logged.map(({ id }) => id).sort())
  expect(new Set(projected.map(({ id }) => id)).size).toBe(projected.length)
  const { tagged } = await db.row<{ tagged: number }>(
    sql`select count(*)::int as tagged from event_log where type = 'tag_added' and data->>'tagId' = ${String(tagId)}`,
  )
  expect(tagged).toBe(PEOPLE)
})

function begin(command: 'serve' | 'work'): Kept {
  const one = new Kept(command, environment)
  all.push(one)
  return one
}

async function importFile(number: number): Promise<void> {
  const lines = Array.from({ length: ORDERS_A_FILE }, (_, index) => {
    const at = number * ORDERS_A_FILE + index
    const phone = `1391234${String(at % PEOPLE).padStart(4, '0')}`
    return `S${at},${phone},2026-02-${String(1 + (at % 28)).padStart(2, '0')} 12:00:00,SKU${at % 7},1,${1 + (at % 90)}.00`
  })
  const path = join(folder, `orders-${number}.csv`)
  await writeFile(path, `订单号,手机号,下单时间,商品编码,数量,单价\n${lines.join('\n')}\n`)
  const ended = await runOnce('import', environment, [path, '--source', 'till', '--json'])
  expect(ended.code, ended.error).toBe(0)
}

/** Which of these processes holds a lease, as soon as one does. */
async function holderOf(lease: string, among: readonly Kept[]): Promise<Kept> {
  const until = performance.now() + PATIENCE_MS
  while (performance.now() < until) {
    const held = await db.rows<{ holder: string }>(
      sql`select holder from lease where name = ${lease} and expires_at > clock_timestamp()`,
    )
    const found = among.find(({ pid }) => held.some(({ holder }) => holder.endsWith(`:${pid}`)))
    if (found) return found
    await sleep(20)
  }
  throw new Error(`nobody of these takes the lease ${lease}`)
}

async function settled(): Promise<void> {
  const until = performance.now() + PATIENCE_MS
  const isSettled = async () => {
    const passed = await Promise.all(['react', 'project', 'evaluate'].map((name) => hasCaughtUp(db, name)))
    const { open } = await db.row<{ open: number }>(sql`
      select (select count(*) from evaluation_due) + (select count(*) from recompute where wanted > done)
        + (select count(*) from import_run where stage is not null) as open`)
    return passed.every(Boolean) && open === 0
  }
  while (!(await isSettled())) {
    if (performance.now() > until) throw new Error('the consumers do not catch up')
    await sleep(100)
  }
}
