/**
 * The arbiter: the only way out.
 *
 * Stored: `touch` (each candidate and its state), `touch_ledger` (what counts against caps), `holdout` (sticky answers),
 * `person_cap` (one row a person: the lock, and when to look next). Always true: whoever decides about a person holds
 * that person's row; a planned touch has its ledger row from the same statement; every candidate is in one state with
 * its reason. Rows are claimed with skip locked and wait for nobody, so two arbiters cannot deadlock. After a crash
 * nothing of an open batch stands and the persons are still due.
 */

import { setting } from '../../org/org.ts'
import { crashPoint } from '../../platform/crash.ts'
import { openBlindIndex } from '../../platform/crypto/blind-index.ts'
import { fence, type LeaseToken } from '../../platform/jobs/lease.ts'
import type { Database, Db, Tx } from '../../platform/postgres/database.ts'
import { instant } from '../../platform/time/clock.ts'
import type { Zone } from '../../platform/time/zone.ts'
import { type Candidate, WHOLE_BASE } from '../candidate.ts'
import type { People, Recipient } from '../ports.ts'
import { LEDGER_DAYS, type ReachRules, reachRules } from '../settings.ts'
import { lastTalks } from '../talks.ts'
import { tell, touchEvent } from '../touch-events.ts'
import { type Circumstances, type Considered, decide, type Verdict } from './decide.ts'
import { isHeldOut, permilleOf } from './holdout.ts'
import { slotAtOrAfter } from './slots.ts'
import * as store from './store.ts'

/** Persons decided about in one transaction. */
const PERSONS_A_BATCH = 1000
/** Candidates of one person looked at in one go; the rest follows in the next. */
const CANDIDATES_A_PERSON = 50
const MAX_OFFER = 5000
/** Rows forgotten in one statement. */
const STEP = 10_000

/**
 * Takes candidates in, in the transaction that found them. At most 5,000 a call.
 * Returns how many are new; an id that was offered before changes nothing.
 */
export async function offer(
  tx: Tx,
  candidates: readonly Candidate[],
  now: Date,
): Promise<{ offered: number; repeated: number }> {
  if (candidates.length > MAX_OFFER) throw new RangeError(`at most ${MAX_OFFER} candidates at once`)
  if (candidates.length === 0) return { offered: 0, repeated: 0 }
  const { slotMinutes } = await setting(tx, 'caps')
  const waiting = candidates.map((one) => ({ ...one, dueAt: firstLook(one, slotMinutes, now) }))
  const fresh = new Set(await store.insertCandidates(tx, waiting, now))
  await store.wakePersons(
    tx,
    waiting.filter((one) => fresh.has(one.id)),
  )
  return { offered: fresh.size, repeated: candidates.length - fresh.size }
}

/** Marketing waits for the next slot; everything else is looked at as soon as it may go. */
function firstLook(candidate: Candidate, slotMinutes: number, now: Date): Date {
  const from = candidate.notBefore > now ? candidate.notBefore : now
  return candidate.class === 'marketing' ? slotAtOrAfter(slotMinutes, from) : from
}

export type Arbitrated = {
  persons: number
  planned: number
  deferred: number
  heldOut: number
  dropped: number
}

export type Arbitration = { token: LeaseToken; now: Date; zone: Zone }

/** Decides about up to 1,000 persons who have something due. `persons` is 0 when nobody is left. */
export async function arbitrateOnce(db: Database, people: People, how: Arbitration): Promise<Arbitrated> {
  return db.transaction(async (tx) => {
    await fence(tx, how.token)
    const personIds = await store.claimPersons(tx, how.now, PERSONS_A_BATCH)
    if (personIds.length === 0) return { persons: 0, planned: 0, deferred: 0, heldOut: 0, dropped: 0 }
    const candidates = await store.dueCandidates(tx, personIds, how.now, CANDIDATES_A_PERSON)
    const verdicts = await decideAll(tx, people, candidates, how)
    const counts = await write(tx, verdicts, how.now)
    await store.setNextLook(tx, personIds)
    crashPoint('reach.decided')
    return { persons: personIds.length, ...counts }
  })
}

async function decideAll(
  tx: Tx,
  people: People,
  candidates: readonly Considered[],
  how: Arbitration,
): Promise<Verdict[]> {
  const personIds = [...new Set(candidates.map((one) => one.personId))]
  const since = instant(how.now.getTime() - LEDGER_DAYS * 86_400_000)
  const recipients = await people.recipients(tx, personIds)
  const ledger = await store.ledgerOf(tx, personIds, since)
  const channels = await store.channelRows(tx)
  const contents = await store.contentRows(tx, [...new Set(candidates.map((one) => one.contentId))])
  const rules = await reachRules(tx)
  const holdouts = await openHoldouts(tx, personIds, scopesOf(candidates), rules)
  const at: Circumstances = {
    now: how.now,
    zone: how.zone,
    rules,
    channels: new Map(channels.map((row) => [row.name, row])),
    contents: new Map(contents.map((row) => [row.id, row])),
    heldOut: holdouts.answer,
  }
  const byPerson = Map.groupBy(candidates, (one) => one.personId)
  const rowsOf = Map.groupBy(ledger, (row) => row.personId)
  const talks = await lastTalks(tx, personIds)
  const known = new Map(recipients.map((one) => [one.personId, withTalks(one, talks)]))
  const verdicts = [...byPerson].flatMap(([personId, own]) =>
    decide(own, known.get(personId), rowsOf.get(personId) ?? [], at),
  )
  await store.recordHoldouts(tx, holdouts.fresh, how.now)
  return verdicts
}

function withTalks(recipient: Recipient, talks: ReadonlyMap<string, Date>): Recipient {
  const contacts = recipient.contacts.map((contact) => ({
    ...contact,
    lastTalkedAt: talks.get(`${recipient.personId} ${contact.staffId}`) ?? null,
  }))
  return { ...recipient, contacts }
}

function scopesOf(candidates: readonly Considered[]): string[] {
  const scopes = new Set([WHOLE_BASE])
  for (const { class: kind, journeyId } of candidates)
    if (kind === 'marketing' && journeyId) scopes.add(journeyId)
  return [...scopes]
}

type Holdouts = {
  answer(scope: string, personId: number): boolean
  /** First answers that were asked for and are to be recorded. */
  fresh: (store.HoldoutRow & { permille: number })[]
}

async function openHoldouts(
  tx: Tx,
  personIds: readonly number[],
  scopes: readonly string[],
  { holdouts }: Pick<ReachRules, 'holdouts'>,
): Promise<Holdouts> {
  const index = openBlindIndex(await store.holdoutKey(tx))
  const recorded = await store.recordedHoldouts(tx, personIds, scopes)
  const known = new Map(recorded.map((row) => [`${row.scope}:${row.personId}`, row.held]))
  const fresh: Holdouts['fresh'] = []
  function answer(scope: string, personId: number): boolean {
    const place = `${scope}:${personId}`
    const stands = known.get(place)
    if (stands !== undefined) return stands
    const permille = permilleOf(scope === WHOLE_BASE ? holdouts.basePercent : holdouts.journeyPercent)
    const held = isHeldOut(index, scope, personId, permille)
    known.set(place, held)
    fresh.push({ personId, scope, held, permille })
    return held
  }
  return { answer, fresh }
}

/**
 * Who of the persons is held out of a journey (by its own holdout or by that of the whole base), decided and recorded
 * at the first question and the same for ever.
 */
export async function heldOut(
  tx: Tx,
  journeyId: string,
  personIds: readonly number[],
  now: Date,
): Promise<Set<number>> {
  const scopes = [WHOLE_BASE, journeyId]
  const rules = { holdouts: await setting(tx, 'holdouts') }
  const holdouts = await openHoldouts(tx, personIds, scopes, rules)
  const held = personIds.filter((personId) =>
    scopes.map((scope) => holdouts.answer(scope, personId)).some(Boolean),
  )
  await store.recordHoldouts(tx, holdouts.fresh, now)
  return new Set(held)
}

async function write(tx: Tx, verdicts: readonly Verdict[], now: Date): Promise<Omit<Arbitrated, 'persons'>> {
  const planned = verdicts.filter((one) => one.do === 'plan')
  const deferred = verdicts.filter((one) => one.do === 'defer')
  const held = verdicts.filter((one) => one.do === 'hold')
  const dropped = verdicts.filter((one) => one.do === 'drop')
  await store.writePlanned(tx, planned, now)
  await store.writeDeferred(tx, deferred, now)
  await store.writeEnded(tx, [...held, ...dropped], now)
  await tell(tx, verdicts.filter(isNews).map(eventOf(now)), now)
  return {
    planned: planned.length,
    deferred: deferred.length,
    heldOut: held.length,
    dropped: dropped.length,
  }
}

/** A candidate that waits on for the same reason is no news. */
function isNews(verdict: Verdict): boolean {
  return verdict.do !== 'defer' || verdict.candidate.reason !== verdict.reason
}

const stateOf = { plan: 'planned', defer: 'deferred', hold: 'held_out', drop: 'dropped' } as const

function eventOf(now: Date) {
  return (verdict: Verdict) => {
    const reason = verdict.do === 'plan' ? '' : verdict.reason
    const senderId = verdict.do === 'plan' ? verdict.senderId : verdict.candidate.senderId
    const told = { type: 'touch_decided', state: stateOf[verdict.do], reason } as const
    return touchEvent({ ...verdict.candidate, senderId }, told, now, `${verdict.do} ${now.toISOString()}`)
  }
}

/** Forgets what no cap counts any more and receipts as old, in steps. Returns how many rows went. */
export async function pruneLedger(db: Db, now: Date): Promise<number> {
  const before = instant(now.getTime() - LEDGER_DAYS * 86_400_000)
  const rows = await store.pruneLedgerRows(db, before, STEP)
  return rows + (await store.pruneReceiptRows(db, before, STEP))
}
