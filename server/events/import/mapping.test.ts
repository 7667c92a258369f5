import { describe, expect, test } from 'vitest'
import { foldHeading, importFields, importKinds } from '../../../contract/import-fields.ts'
import { checkMapping, fingerprint, guessColumns, guessKind, mappingOf } from './mapping.ts'
import type { Cell } from './row.ts'

function guess(
  kind: 'members' | 'orders' | 'contacts',
  headings: string[],
  rows: Cell[][] = [],
): (string | null)[] {
  return guessColumns(kind, { headings, rows }).map((column) => column.field)
}

describe('guessing what columns mean', () => {
  test('members of a Chinese ERP', () => {
    expect(
      guess('members', [
        '会员卡号',
        '会员姓名',
        '手机号码',
        '性别',
        '出生日期',
        '开卡日期',
        '开卡门店',
        '专属导购',
        '会员来源',
        '会员等级',
        '积分',
      ]),
    ).toEqual([
      'cardNumber',
      'name',
      'phone',
      'gender',
      'birthday',
      'joinedAt',
      'store',
      'owner',
      'source',
      'level',
      null,
    ])
  })

  test('orders of a Chinese shop', () => {
    expect(
      guess('orders', [
        '订单编号',
        '买家手机',
        '订单创建时间',
        '订单付款时间',
        '商家编码',
        '宝贝标题',
        '宝贝数量',
        '单价(元)',
        '实付金额（元）',
        '订单状态',
        '店铺名称',
      ]),
    ).toEqual([
      'orderNo',
      'phone',
      'orderedAt',
      'paidAt',
      'sku',
      'product',
      'quantity',
      'price',
      'total',
      'status',
      'store',
    ])
  })

  test('the retail file with English headings', () => {
    const headings = [
      'InvoiceNo',
      'StockCode',
      'Description',
      'Quantity',
      'InvoiceDate',
      'UnitPrice',
      'CustomerID',
      'Country',
    ]
    expect(guess('orders', headings)).toEqual([
      'orderNo',
      'sku',
      'product',
      'quantity',
      'orderedAt',
      'price',
      'memberNo',
      null,
    ])
    expect(guessKind(headings)).toBe('orders')
  })

  test('baskets', () => {
    expect(
      guess('orders', [
        'household_id',
        'store_id',
        'basket_id',
        'product_id',
        'quantity',
        'sales_value',
        'retail_disc',
        'transaction_timestamp',
      ]),
    ).toEqual([
      'memberNo',
      'storeCode',
      'orderNo',
      'sku',
      'quantity',
      'lineTotal',
      'lineDiscount',
      'orderedAt',
    ])
  })

  test('an export of WeCom contacts', () => {
    const headings = [
      '客户名称',
      '备注',
      '添加人',
      '添加人账号',
      '添加时间',
      '来源',
      'external_userid',
      'unionid',
      '标签',
    ]
    expect(guess('contacts', headings)).toEqual([
      'name',
      'remark',
      'staffName',
      'staffUserid',
      'addedAt',
      'addWay',
      'externalUserid',
      'unionid',
      'tags',
    ])
    expect(guessKind(headings)).toBe('contacts')
  })

  test('a phone column without a telling name is found by its values', () => {
    const rows = [
      ['a', '13800138000'],
      ['b', '13800138001'],
      ['c', '13900138002'],
    ]
    expect(guess('members', ['x1', 'x2'], rows)).toEqual([null, 'phone'])
  })

  test('a heading that lies is not believed', () => {
    const rows = Array.from({ length: 6 }, () => ['门店一', '张三'])
    expect(guess('members', ['手机号', '姓名'], rows)).toEqual([null, 'name'])
  })

  test('day and month are told apart by the column, and asked for where nothing decides', () => {
    const column = (values: string[]) =>
      guessColumns('orders', { headings: ['日期'], rows: values.map((value) => [value]) })[0]
    expect(column(['05/03/2024', '25/03/2024'])).toMatchObject({ dateOrder: 'dmy', ambiguousDates: false })
    expect(column(['05/03/2024', '03/25/2024'])).toMatchObject({ dateOrder: 'mdy', ambiguousDates: false })
    expect(column(['05/03/2024', '03/04/2024'])).toMatchObject({ dateOrder: 'mdy', ambiguousDates: true })
    expect(column(['2024-03-05'])).not.toHaveProperty('dateOrder')
  })

  test('a saved mapping wins over names, for the same headings however they are written', () => {
    const saved = {
      columns: [
        { heading: '金额', field: 'total' },
        { heading: '编号', field: null },
      ],
      defaults: {},
    }
    const guesses = guessColumns('orders', { headings: ['编号', '金额'], rows: [] }, saved)
    expect(guesses.map((column) => [column.field, column.because])).toEqual([
      [null, 'saved'],
      ['total', 'saved'],
    ])
    expect(fingerprint(['订单号', '金额(元)'])).toEqual(fingerprint(['订单号 ', '金额']))
    expect(fingerprint(['a', 'b'])).not.toEqual(fingerprint(['b', 'a']))
  })

  test('what a kind cannot do without is refused by name', () => {
    const mapping = mappingOf(guessColumns('orders', { headings: ['订单号', '金额'], rows: [] }))
    expect(() => checkMapping('orders', mapping)).toThrow('time')
    expect(() =>
      checkMapping('orders', { columns: [{ heading: 'a', field: 'nonsense' }], defaults: {} }),
    ).toThrow('No such field')
    expect(() =>
      checkMapping('members', {
        columns: [
          { heading: 'a', field: 'phone' },
          { heading: 'b', field: 'phone' },
        ],
        defaults: {},
      }),
    ).toThrow('Two columns')
    expect(() =>
      checkMapping('members', {
        columns: [
          { heading: 'a', field: 'phone' },
          { heading: 'b', field: 'attribute:爱好' },
        ],
        defaults: {},
      }),
    ).not.toThrow()
  })
})

test('no field of a kind has two names that fold to nothing, and keys are unique', () => {
  for (const kind of importKinds) {
    const keys = importFields[kind].map((field) => field.key)
    expect(new Set(keys).size).toBe(keys.length)
    for (const field of importFields[kind]) {
      for (const name of [field.zh, field.en, ...field.synonyms])
        expect(foldHeading(name), field.key).not.toBe('')
    }
  }
})
