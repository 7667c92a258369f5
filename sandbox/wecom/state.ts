/** What the simulated WeCom knows: mass messages, who confirmed them, whom they reached. In memory, unless `keep` is given. */
import { randomBytes } from 'node:crypto'
import type { WireAttachment } from '../../wecom/wire/mass-message.ts'

export type Recipient = { externalUserId: string; status: 0 | 1 | 2 | 3; sendTime: number | null }

export type MassMessage = {
  msgid: string
  sender: string
  text: string
  attachments: WireAttachment[]
  /** Real time in ms: when it was made, and from when it is shown. */
  createdAt: number
  shownFrom: number
  /** Asked before then it answers 41063. */
  dispatchedAt: number
  confirmedAt: number | null
  cancelled: boolean
  recipients: Recipient[]
}

/** What goes wrong next. Each fault is used up `times` times (default 1). */
export type Fault =
  /** The effect happens, the answer never comes. */
  | { kind: 'drop_answer'; times?: number }
  /** The connection breaks before anything happens. */
  | { kind: 'drop_call'; times?: number }
  /** The call is refused without effect: 45009, -1, 45033, … */
  | { kind: 'refuse'; code: number; times?: number }
  /** The token is refused once. */
  | { kind: 'refuse_token'; code: 40014 | 42001; times?: number }
  /** It happens, and the answer says -1. */
  | { kind: 'busy_after_effect'; times?: number }

export type FaultKind = Fault['kind']

export type SandboxOptions = {
  corpId: string
  secret: string
  /** What was made is shown only after this time. */
  visibleAfterMs: number
  /** The task answers 41063 for this long. */
  dispatchMs: number
  /** Each answer takes this long. */
  latencyMs: number
  /** Mass messages that a customer may receive in a calendar month; undefined: as many as the month has days. */
  monthlyQuota: number | undefined
  clock: () => Date
  /** Messages of an earlier run. */
  messages: readonly MassMessage[]
  /** Called with what a call or a confirmation changed, before the answer: keep it and a restart forgets nothing. */
  keep: (message: MassMessage) => Promise<void>
}

export class WecomState {
  readonly messages = new Map<string, MassMessage>()
  /** Tokens that are valid. */
  readonly tokens = new Set<string>()
  /** Customers that are no friends (any more) of a member of staff: 'userid external_userid'. */
  readonly strangers = new Set<string>()
  /** Times of received mass messages by customer. */
  readonly received = new Map<string, number[]>()
  readonly calls = new Map<string, number>()
  readonly #faults: { fault: Fault; left: number }[] = []
  /** Ids of another run are others. */
  readonly #run = randomBytes(4).toString('hex')
  #made = 0

  constructor(messages: readonly MassMessage[] = []) {
    for (const message of messages) {
      this.messages.set(message.msgid, message)
      for (const { externalUserId, sendTime } of message.recipients) {
        if (sendTime === null) continue
        this.received.set(externalUserId, [...(this.received.get(externalUserId) ?? []), sendTime])
      }
    }
  }

  inject(fault: Fault): void {
    this.#faults.push({ fault, left: fault.times ?? 1 })
  }

  /** The next fault of a kind, used up by this call. */
  take<K extends FaultKind>(kind: K): Extract<Fault, { kind: K }> | undefined {
    const index = this.#faults.findIndex(({ fault }) => fault.kind === kind)
    const entry = this.#faults[index]
    if (!entry) return undefined
    entry.left -= 1
    if (entry.left <= 0) this.#faults.splice(index, 1)
    return entry.fault as Extract<Fault, { kind: K }>
  }

  clearFaults(): void {
    this.#faults.length = 0
  }

  countCall(path: string): void {
    this.calls.set(path, (this.calls.get(path) ?? 0) + 1)
  }

  nextMessageId(): string {
    this.#made += 1
    return `msgGCAAA${this.#run}${String(this.#made).padStart(8, '0')}`
  }

  /** The member of staff presses the button: it goes to each customer who is a friend and has quota left. */
  confirm(message: MassMessage, at: Date, quota: number): void {
    if (message.confirmedAt !== null || message.cancelled) return
    message.confirmedAt = at.getTime()
    for (const recipient of message.recipients) {
      if (this.strangers.has(`${message.sender} ${recipient.externalUserId}`)) recipient.status = 2
      else if (this.#receivedInMonth(recipient.externalUserId, at) >= quota) recipient.status = 3
      else {
        recipient.status = 1
        recipient.sendTime = at.getTime()
        const times = this.received.get(recipient.externalUserId) ?? []
        times.push(at.getTime())
        this.received.set(recipient.externalUserId, times)
      }
    }
  }

  #receivedInMonth(externalUserId: string, at: Date): number {
    const month = monthInChina(at.getTime())
    return (this.received.get(externalUserId) ?? []).filter((time) => monthInChina(time) === month).length
  }
}

const CHINA_MS = 8 * 3_600_000

function monthInChina(time: number): string {
  return new Date(time + CHINA_MS).toISOString().slice(0, 7)
}

export function daysOfMonth(at: Date): number {
  const local = new Date(at.getTime() + CHINA_MS)
  return new Date(Date.UTC(local.getUTCFullYear(), local.getUTCMonth() + 1, 0)).getUTCDate()
}
