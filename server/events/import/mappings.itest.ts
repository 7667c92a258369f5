import { beforeAll, expect, test } from 'vitest'
import type { ImportPreview, SavedMapping } from '../../../contract/import.ts'
import { type Caller, type Reply, testApp } from '../../../test/support/app.ts'
import { testDatabase } from '../../../test/support/database.ts'

const FILE = '编号X,电话Y,日期,金额\nA1,13812345671,2025-01-02,12.50\nA2,13812345672,2025-01-03,8\n'
let operator: Caller

beforeAll(async () => {
  const app = await testApp(await testDatabase())
  operator = await app.as('operator')
})

async function upload(name: string, text = FILE): Promise<ImportPreview> {
  const answer = await operator('POST', `/api/imports?name=${name}&kind=orders`, text, {
    'content-type': 'text/csv',
  })
  expect(answer.status).toBe(200)
  return answer.body as ImportPreview
}

/** Says that 编号X is the order number, and keeps that under a name. */
function keep({ run, columns }: ImportPreview, saveAs: string): Promise<Reply> {
  const fields = { 编号X: 'orderNo', 电话Y: 'phone' } as Record<string, string>
  return operator('PUT', `/api/imports/${run.id}/mapping`, {
    version: run.version,
    kind: 'orders',
    source: 'till',
    mapping: { columns: columns.map(({ heading, field }) => ({ heading, field: fields[heading] ?? field })) },
    saveAs,
  })
}

const saved = async (query = ''): Promise<SavedMapping[]> =>
  (await operator('GET', `/api/import-mappings${query}`)).body as SavedMapping[]
const fieldOf = ({ columns }: ImportPreview, heading: string) =>
  columns.find((column) => column.heading === heading)

test('a saved mapping is listed, used again for the same headings, renamed with its version, and removed', async () => {
  const first = await upload('first.csv')
  expect(fieldOf(first, '编号X')).toMatchObject({ field: null })
  expect((await keep(first, '收银系统')).status).toBe(200)
  const [mapping] = await saved()
  expect(mapping).toMatchObject({ kind: 'orders', name: '收银系统', version: 1 })
  expect(await saved('?kind=members')).toEqual([])

  const second = await upload('second.csv', FILE.replace('A1', 'B1'))
  expect(second.savedMapping).toMatchObject({ id: mapping?.id, name: '收银系统' })
  expect(fieldOf(second, '编号X')).toMatchObject({ field: 'orderNo', because: 'saved' })
  const other = await upload('other.csv', FILE.replace('电话Y', '电话Z'))
  expect(other.savedMapping).toBeNull()

  const path = `/api/import-mappings/${mapping?.id}`
  const renamed = await operator('PUT', path, { version: mapping?.version, name: '新收银系统' })
  expect(renamed).toMatchObject({ status: 200, body: { name: '新收银系统', version: 2 } })
  const late = await operator('PUT', path, { version: 1, name: '旧页面' })
  expect(late).toMatchObject({ status: 409, body: { code: 'stale_version' } })
  expect((await upload('third.csv', FILE.replace('A1', 'C1'))).savedMapping).toMatchObject({
    name: '新收银系统',
  })

  expect((await operator('DELETE', path)).status).toBe(200)
  expect(await saved()).toEqual([])
  const fourth = await upload('fourth.csv', FILE.replace('A1', 'D1'))
  expect(fourth.savedMapping).toBeNull()
  expect(fieldOf(fourth, '编号X')).toMatchObject({ field: null })
  expect((await operator('PUT', path, { version: 2, name: '没有了' })).status).toBe(404)
})
