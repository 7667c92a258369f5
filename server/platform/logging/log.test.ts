import { expect, test } from 'vitest'
import { openLog, scrub } from './log.ts'

function logged(write: (log: ReturnType<typeof openLog>) => void): string {
  const lines: string[] = []
  write(openLog({ level: 'debug', destination: { write: (line) => lines.push(line) } }))
  return lines.join('')
}

test('a phone number, an address and a name never reach the log, wherever they were put', () => {
  const text = logged((log) => {
    log.info({ event: 'a', phone: '13812345678', member: { name: '张三', remark: 'VIP' } })
    log.info(
      { event: 'b', note: 'called 138 1234 5678 and +86-13912345678' },
      'mail to zhang.san@example.com.cn',
    )
    log.error({
      event: 'c',
      err: Object.assign(new Error('row of 13712345678'), { detail: 'Key (name)=(李四)' }),
    })
    log.info({ event: 'd', identity: '110101199003071234' })
    log.info({ event: 'e', deep: { er: { password: 'hunter2' } }, authorization: 'Bearer llk_abc' })
  })

  for (const secret of [
    '13812345678',
    '1234 5678',
    '13912345678',
    '13712345678',
    '张三',
    'VIP',
    '李四',
    'zhang.san',
    '110101199003071234',
    'hunter2',
    'llk_abc',
  ]) {
    expect(text).not.toContain(secret)
  }
  expect(text.split('\n').filter(Boolean)).toHaveLength(5)
})

test('ids, times and amounts stay readable', () => {
  const id = '019aa8b1-3812-7345-9138-123456789012'
  const text = logged((log) =>
    log.info({ event: 'order', id, at: 1763791234567, amountCents: 1999, digest: 'ab13812345678f' }),
  )
  expect(text).toContain(id)
  expect(text).toContain('1763791234567')
  expect(text).toContain('ab13812345678f')
})

test('an error keeps what a developer needs', () => {
  const failure = Object.assign(new RangeError('too far'), { code: '22003', constraint: 'a_check' })
  const line = JSON.parse(logged((log) => log.error({ event: 'x', err: failure })))
  expect(line.err).toMatchObject({
    type: 'RangeError',
    message: 'too far',
    code: '22003',
    constraint: 'a_check',
  })
  expect(line.err.stack).toContain('log.test')
})

test('scrubbing keeps the line well-formed', () => {
  expect(JSON.parse(scrub(JSON.stringify({ a: '13812345678', b: 'x@y.cn' })))).toEqual({
    a: '[phone]',
    b: '[email]',
  })
})
