import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { isAbsent, sharedData } from '../../test/support/shared-data.ts'
import { CallbackRefused, openCallbackCrypto } from './crypto.ts'
import { messageKey, NotCallbackXml, parseMessage } from './message.ts'

/** The vectors that WeCom prints with its documentation (path 90968) and in its sample code. */
const keys = {
  token: 'QDG6eK',
  encodingAesKey: 'jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C',
  receiveId: 'wx5823bf96d3bd56c7',
}
const verify = {
  timestamp: '1409659589',
  nonce: '263014780',
  encrypt: 'P9nAzCzyDtyTWESHep1vC5X9xho/qYX3Zpb4yKa9SKld1DsH3Iyt3tP3zNdtp+4RPcs8TgAE7OaBO+FZXvnaqQ==',
  signature: '5c45ff5e21c57e6ad56bac8758b79b1d9ac89fd3',
}
const event = {
  timestamp: '1409659813',
  nonce: '1372623149',
  encrypt:
    'RypEvHKD8QQKFhvQ6QleEB4J58tiPdvo+rtK1I9qca6aM/wvqnLSV5zEPeusUiX5L5X/0lWfrf0QADHHhGd3QczcdCUpj911L3vg3W/sYYvuJTs3TUUkSUXxaccAS0qhxchrRYt66wiSpGLYL42aM6A8dTT+6k4aSknmPj48kzJs8qLjvd4Xgpue06DOdnLxAUHzM6+kDZ+HMZfJYuR+LtwGc2hgf5gsijff0ekUNXZiqATP7PF5mZxZ3Izoun1s4zG4LUMnvw2r+KqCKIw+3IQH03v+BCA9nMELNqbSf6tiWSrXJB3LAVGUcallcrw8V2t9EL4EhzJWrQUax5wLVMNS0+rUPA3k22Ncx4XXZS9o0MBH27Bo6BpNelZpS+/uh9KsNlY6bHCmJU9p8g7m3fVKn28H3KDYA5Pl/T8Z1ptDAVe0lXdQ2YoyyH2uyPIGHBZZIs2pDBS8R07+qN+E7Q==',
  signature: '477715d11cdb4164915debcba66cb864d751f3e6',
}

describe('the published vectors', () => {
  const crypto = openCallbackCrypto(keys)

  test('the address check is signed and opened', () => {
    expect(crypto.sign(verify)).toBe(verify.signature)
    expect(crypto.open(verify)).toBe('1616140317555161061')
  })

  test('an event is opened and read', () => {
    const message = crypto.open(event)
    expect(parseMessage(message)).toMatchObject({
      FromUserName: 'mycreate',
      Content: 'hello',
      MsgId: '4561255354251345929',
    })
  })

  test('encrypting with the same random bytes gives the same text', () => {
    expect(crypto.encrypt(crypto.open(verify), Buffer.from('c41b64491c2468d0'))).toBe(verify.encrypt)
    expect(crypto.encrypt(crypto.open(event), Buffer.from('0960688932c47ef1'))).toBe(event.encrypt)
  })
})

type Vector = {
  name: string
  token: string
  encodingAesKey: string
  receiveId: string
  timestamp: string
  nonce: string
  ciphertext: string
  computed_signature: string
  decoded: { random: string; message: string }
}

test.skipIf(isAbsent('protocol'))('every vector of the collected set opens and encrypts back', () => {
  const all = JSON.parse(
    readFileSync(`${sharedData('protocol')}/wxbizmsgcrypt/vectors.json`, 'utf8'),
  ) as Vector[]
  const ours = all.filter((one) => one.name.startsWith('wecom') || one.name.startsWith('mp'))
  expect(ours.length).toBeGreaterThanOrEqual(4)
  for (const vector of ours) {
    const crypto = openCallbackCrypto(vector)
    const parts = { timestamp: vector.timestamp, nonce: vector.nonce, encrypt: vector.ciphertext }
    expect(crypto.sign(parts)).toBe(vector.computed_signature)
    expect(crypto.open({ ...parts, signature: vector.computed_signature })).toBe(vector.decoded.message)
    expect(crypto.encrypt(vector.decoded.message, Buffer.from(vector.decoded.random))).toBe(vector.ciphertext)
  }
})

describe('what is not from WeCom is refused', () => {
  const crypto = openCallbackCrypto(keys)

  function faultOf(work: () => unknown): string | undefined {
    try {
      work()
      return undefined
    } catch (error) {
      return error instanceof CallbackRefused ? error.fault : String(error)
    }
  }

  test('a wrong signature', () => {
    expect(faultOf(() => crypto.open({ ...verify, signature: 'f'.repeat(40) }))).toBe('bad_signature')
    expect(faultOf(() => crypto.open({ ...verify, signature: '' }))).toBe('bad_signature')
  })

  test('a text that was changed, though it is signed', () => {
    const encrypt = `${verify.encrypt.slice(0, 20)}AAAA${verify.encrypt.slice(24)}`
    const signature = crypto.sign({ ...verify, encrypt })
    expect(['undecipherable', 'not_for_us']).toContain(
      faultOf(() => crypto.open({ ...verify, encrypt, signature })),
    )
  })

  test('a text of another corp', () => {
    const other = openCallbackCrypto({ ...keys, receiveId: 'ww-other' })
    expect(faultOf(() => other.open(verify))).toBe('not_for_us')
  })

  test('a key that is none', () => {
    expect(faultOf(() => openCallbackCrypto({ ...keys, encodingAesKey: 'short' }))).toBe('bad_key')
  })
})

test('two customers who add the same guide in one second have different keys', () => {
  const xml = (customer: string) =>
    `<xml><FromUserName>sys</FromUserName><CreateTime>1403610513</CreateTime><UserID>zhang</UserID><ExternalUserID>${customer}</ExternalUserID></xml>`
  expect(messageKey(xml('wm1'))).not.toBe(messageKey(xml('wm2')))
  expect(messageKey(xml('wm1'))).toBe(messageKey(xml('wm1')))
})

test('a doctype, broken XML and a bomb of depth are refused', () => {
  for (const bad of [
    '<!DOCTYPE x [<!ENTITY a "b">]><xml><A>&a;</A></xml>',
    '<xml><A></xml>',
    `<xml>${'<a>'.repeat(50)}${'</a>'.repeat(50)}</xml>`,
  ])
    expect(() => parseMessage(bad)).toThrow(NotCallbackXml)
})
