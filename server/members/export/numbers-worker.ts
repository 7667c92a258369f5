/** A thread of an export: opens the numbers of one page after the other. */
import { parentPort, workerData } from 'node:worker_threads'
import { openFieldCipher } from '../../platform/crypto/field-cipher.ts'
import { openNumbers, type SealedNumbers } from './export-rows.ts'
import type { FromNumbers, NumbersOrder } from './opening-numbers.ts'

const port = parentPort
if (port === null) throw new Error('numbers-worker.ts runs in a worker thread')
const { wrapping, open } = workerData as NumbersOrder
const cipher = openFieldCipher(wrapping)

port.on('message', (sealed: SealedNumbers) => {
  const say = (message: FromNumbers): void => port.postMessage(message)
  try {
    say({ numbers: openNumbers(sealed, { cipher, open }) })
  } catch (error) {
    say({ failed: error instanceof Error ? error.message : String(error) })
  }
})
