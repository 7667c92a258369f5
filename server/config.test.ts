import { expect, test } from 'vitest'
import { readConfig } from './config.ts'

const CLICKHOUSE_URL = 'http://a:b@clickhouse:8123/liuliang'

test('a cluster is named beside the address of its ClickHouse', () => {
  expect(readConfig({ CLICKHOUSE_URL, CLICKHOUSE_CLUSTER: ' members-1 ' })).toMatchObject({
    clickhouseUrl: CLICKHOUSE_URL,
    clickhouseCluster: 'members-1',
  })
  expect(readConfig({ CLICKHOUSE_URL, CLICKHOUSE_CLUSTER: '' }).clickhouseCluster).toBeUndefined()
})

test('a cluster of the built-in ClickHouse and a name that is none are refused in one sentence that names the variable', () => {
  expect(() => readConfig({ CLICKHOUSE_CLUSTER: 'members' })).toThrow(
    /^CLICKHOUSE_CLUSTER needs CLICKHOUSE_URL/,
  )
  for (const CLICKHOUSE_CLUSTER of ["x' on cluster 'y", '1st', '会员'])
    expect(() => readConfig({ CLICKHOUSE_URL, CLICKHOUSE_CLUSTER })).toThrow(
      /^The environment variable CLICKHOUSE_CLUSTER cannot be used: must be the name of a cluster/,
    )
})
