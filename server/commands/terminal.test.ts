import { expect, test } from 'vitest'
import { describe as describeProgress, openTerminal } from './terminal.ts'

function recorded(isTTY: boolean, json = false) {
  const written: { out: string; err: string } = { out: '', err: '' }
  let now = 0
  const terminal = openTerminal({
    json,
    out: { write: (text) => (written.out += text) },
    err: { isTTY, columns: 100, write: (text) => (written.err += text) },
    clock: () => now,
  })
  return { terminal, written, pass: (ms: number) => (now += ms) }
}

test('progress tells share, rate and remaining time', () => {
  expect(describeProgress('rows', { done: 250, total: 1000 }, 5)).toContain(
    '25 %  250 of 1,000  50/s  15 s left',
  )
  expect(describeProgress('rows', { done: 1000, total: 1000 }, 8)).toContain('in 8 s')
  expect(describeProgress('rows', { done: 1234, total: undefined }, 2)).toBe('rows 1,234  617/s')
  expect(describeProgress('rows', { done: 0, total: 10 }, 0)).not.toMatch(/NaN|Infinity/)
  const shared = { done: 5000, total: undefined, share: 0.25 }
  expect(describeProgress('rows', shared, 10)).toBe(
    'rows [######..................] 25 %  5,000  500/s  30 s left',
  )
  expect(describeProgress('rows', { ...shared, share: 0 }, 0)).not.toMatch(/NaN|Infinity|left/)
})

test('a terminal gets one line that changes, a file gets plain lines, and neither hears of what is quick', () => {
  for (const isTTY of [true, false]) {
    const { terminal, written, pass } = recorded(isTTY)
    const progress = terminal.progress('rows')
    progress.tick(1, 10)
    expect(written.err).toBe('')
    for (let second = 1; second <= 8; second += 1) {
      pass(1000)
      progress.tick(second)
    }
    progress.done()
    expect(written.err.includes('\r')).toBe(isTTY)
    expect(written.err.endsWith('\n')).toBe(true)
    expect(written.err.split(isTTY ? '\r' : '\n').filter(Boolean)).toHaveLength(isTTY ? 9 : 3)
  }
})

test('with --json stdout holds the result alone', () => {
  const { terminal, written } = recorded(false, true)
  terminal.say('hello')
  terminal.result({ rows: 3 })
  expect(written.out).toBe('{"rows":3}\n')
})
