/**
 * Encryption and signatures of callbacks (WXBizMsgCrypt, 加解密方案).
 * AES-256-CBC, key = base64(EncodingAESKey + '='), IV = the first 16 bytes of the key, padding to multiples of 32;
 * plain text = 16 random bytes, length of the message in 4 bytes (big endian), message, receive id;
 * signature = sha1 over the sorted token, timestamp, nonce and cipher text.
 */
import { createCipheriv, createDecipheriv, createHash, randomBytes, timingSafeEqual } from 'node:crypto'

export type CallbackFault = 'bad_key' | 'bad_signature' | 'undecipherable' | 'not_for_us'

/** A callback that is not from WeCom, or not for us. */
export class CallbackRefused extends Error {
  override name = 'CallbackRefused'
  readonly fault: CallbackFault

  constructor(fault: CallbackFault) {
    super(`callback refused: ${fault}`)
    this.fault = fault
  }
}

export type CallbackKeys = {
  token: string
  /** 43 letters and digits. */
  encodingAesKey: string
  /** The corp id for an app of the corp, the suite id for a third party, empty for a personal third party. */
  receiveId: string
}

export type Signed = { signature: string; timestamp: string; nonce: string; encrypt: string }

export type CallbackCrypto = {
  /** The plain message. Errors: `CallbackRefused`. */
  open(signed: Signed): string
  /** The cipher text of a message; `random` (16 bytes) is for tests. */
  encrypt(message: string, random?: Buffer): string
  sign(parts: { timestamp: string; nonce: string; encrypt: string }): string
}

const BLOCK = 32
const RANDOM = 16
const HEAD = RANDOM + 4

/** Errors: `CallbackRefused` ('bad_key') where the key is none. */
export function openCallbackCrypto({ token, encodingAesKey, receiveId }: CallbackKeys): CallbackCrypto {
  const key = Buffer.from(`${encodingAesKey}=`, 'base64')
  if (!/^[A-Za-z0-9]{43}$/.test(encodingAesKey) || key.length !== 32) throw new CallbackRefused('bad_key')
  const iv = key.subarray(0, 16)

  function sign({
    timestamp,
    nonce,
    encrypt,
  }: {
    timestamp: string
    nonce: string
    encrypt: string
  }): string {
    return createHash('sha1').update([token, timestamp, nonce, encrypt].sort().join('')).digest('hex')
  }

  function decrypt(encrypt: string): { message: string; receiver: string } {
    let padded: Buffer
    try {
      const decipher = createDecipheriv('aes-256-cbc', key, iv)
      decipher.setAutoPadding(false)
      padded = Buffer.concat([decipher.update(Buffer.from(encrypt, 'base64')), decipher.final()])
    } catch {
      throw new CallbackRefused('undecipherable')
    }
    const pad = padded.at(-1) ?? 0
    if (padded.length < HEAD + 1 || pad < 1 || pad > BLOCK || pad > padded.length - HEAD)
      throw new CallbackRefused('undecipherable')
    const plain = padded.subarray(0, padded.length - pad)
    const end = HEAD + plain.readUInt32BE(RANDOM)
    if (end > plain.length) throw new CallbackRefused('undecipherable')
    return { message: plain.toString('utf8', HEAD, end), receiver: plain.toString('utf8', end) }
  }

  return {
    sign,
    open({ signature, ...parts }) {
      const expected = Buffer.from(sign(parts))
      const given = Buffer.from(signature)
      if (given.length !== expected.length || !timingSafeEqual(given, expected))
        throw new CallbackRefused('bad_signature')
      const { message, receiver } = decrypt(parts.encrypt)
      if (receiver !== receiveId) throw new CallbackRefused('not_for_us')
      return message
    },
    encrypt(message, random = randomBytes(RANDOM)) {
      const text = Buffer.from(message, 'utf8')
      const length = Buffer.alloc(4)
      length.writeUInt32BE(text.length)
      const plain = Buffer.concat([random, length, text, Buffer.from(receiveId, 'utf8')])
      const pad = BLOCK - (plain.length % BLOCK)
      const cipher = createCipheriv('aes-256-cbc', key, iv)
      cipher.setAutoPadding(false)
      return Buffer.concat([
        cipher.update(Buffer.concat([plain, Buffer.alloc(pad, pad)])),
        cipher.final(),
      ]).toString('base64')
    },
  }
}
