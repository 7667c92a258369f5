/** Members, their audit and identity questions over HTTP. */
import { setTimeout as sleep } from 'node:timers/promises'
import { implement } from '@orpc/server'
import { lifecycleStates } from '../../contract/lifecycle.ts'
import { membersContract } from '../../contract/members.ts'
import { removeTags, setTags } from '../audience/audience.ts'
import {
  apartReview,
  auditBase,
  erasePerson,
  findDuplicates,
  joinReview,
  liftErasure,
  type MembersDeps,
  mergesPage,
  personOf,
  reveal,
  reviewsPage,
  undoMerge,
  visibleTo,
} from '../members/members.ts'
import { audit, brand, type Call, type Viewer } from '../org/org.ts'
import type { ClickHouse } from '../platform/clickhouse/clickhouse.ts'
import type { Database } from '../platform/postgres/database.ts'
import { sql } from '../platform/postgres/sql.ts'
import { Problem } from '../platform/problem.ts'
import { memberCard, memberOrders, memberTimeline } from './member-card.ts'
import { memberPage, withBeside } from './member-list.ts'
import { lifecycleCounts, staffNames, withoutBuyer } from './store.ts'

export type MemberRoutes = { db: Database; clickhouse: ClickHouse; deps: MembersDeps }

export function memberRoutes({ db, clickhouse, deps }: MemberRoutes) {
  const api = implement(membersContract).$context<Call>()
  async function seen(publicId: string, viewer: Viewer): Promise<number> {
    const id = await personOf(db, publicId)
    const visible =
      id === undefined
        ? undefined
        : await db.maybe(sql`select from person where person.id = ${id} and ${visibleTo(viewer)}`)
    if (id === undefined || !visible) throw new Problem('not_found', 'There is no such member.')
    return id
  }
  const by = ({ viewer, now }: Call) => ({ actor: viewer.via === 'nobody' ? null : viewer.staffId, at: now })
  return api.router({
    search: api.search.handler(({ input, context: { viewer } }) => memberPage(deps, db, viewer, input)),
    card: api.card.handler(async ({ input, context: { viewer, now } }) =>
      memberCard({ deps, db, viewer, now, zone: (await brand(db)).zone }, input.id),
    ),
    timeline: api.timeline.handler(async ({ input, context: { viewer } }) =>
      memberTimeline({ db, clickhouse }, await seen(input.id, viewer), input),
    ),
    orders: api.orders.handler(async ({ input, context: { viewer } }) => ({
      items: await memberOrders(db, await seen(input.id, viewer)),
    })),
    reveal: api.reveal.handler(({ input, context }) =>
      db.transaction(async (tx) => ({
        value: await reveal(
          deps,
          tx,
          { publicId: input.id, kind: input.kind, identifier: input.identifier, reason: input.reason },
          context,
        ),
      })),
    ),
    setTag: api.setTag.handler(async ({ input, context }) => {
      const personId = await seen(input.id, context.viewer)
      await db.transaction(async (tx) => {
        await setTags(tx, [{ personId, tagId: input.tagId }], {
          producer: 'guide',
          origin: 'manual',
          at: context.now,
          staffId: context.viewer.staffId,
          reason: input.reason ?? null,
        })
        await audit(tx, context, {
          action: 'member.tagged',
          objectKind: 'member',
          objectId: input.id,
          after: { tagId: input.tagId },
          reason: input.reason,
        })
      })
      return { ok: true as const }
    }),
    removeTag: api.removeTag.handler(async ({ input, context }) => {
      const personId = await seen(input.id, context.viewer)
      await db.transaction(async (tx) => {
        await removeTags(tx, [{ personId, tagId: input.tagId }], {
          producer: 'guide',
          origin: 'manual',
          at: context.now,
          staffId: context.viewer.staffId,
          reason: input.reason ?? null,
        })
        await audit(tx, context, {
          action: 'member.untagged',
          objectKind: 'member',
          objectId: input.id,
          before: { tagId: input.tagId },
          reason: input.reason,
        })
      })
      return { ok: true as const }
    }),
    erase: api.erase.handler(async ({ input, context }) => {
      const personId = await seen(input.id, context.viewer)
      return db.transaction(async (tx) => {
        const { profiles } = await erasePerson(deps, tx, personId, by(context))
        await audit(tx, context, {
          action: 'member.erased',
          objectKind: 'member',
          objectId: input.id,
          after: { records: profiles },
          reason: input.reason,
        })
        return { records: profiles }
      })
    }),
    liftErasure: api.liftErasure.handler(async ({ input: { kind, value, scope, reason }, context }) =>
      db.transaction(async (tx) => {
        await liftErasure(deps, tx, { kind, value, scope })
        await audit(tx, context, { action: 'member.erasure_lifted', objectKind: 'member', reason })
        return { ok: true as const }
      }),
    ),
    audit: api.audit.handler(async ({ context: { viewer, now } }) => {
      const among = visibleTo(viewer)
      const [{ registrations: _, completeness, ...counts }, states, ordersWithoutBuyer] = await Promise.all([
        auditBase(db, among),
        lifecycleCounts(db, among),
        withoutBuyer(db),
      ])
      const counted = new Map(states.map(({ state, persons }) => [state, persons]))
      const lifecycle = lifecycleStates.map((state) => ({ state, persons: counted.get(state) ?? 0 }))
      return {
        asOf: now.toISOString(),
        ...counts,
        completeness: completeness / 100,
        ordersWithoutBuyer,
        lifecycle: lifecycle.filter(({ state }) => !state.startsWith('never')),
        neverBought: lifecycle
          .filter(({ state }) => state.startsWith('never'))
          .map(({ state, persons }) => ({ band: state, persons })),
      }
    }),
    reviews: api.reviews.handler(async ({ input, context: { viewer } }) => {
      const page = await reviewsPage(deps, db, input, viewer)
      const items = await Promise.all(
        page.items.map(async (review) => {
          const rows = await withBeside(db, review.sides)
          return {
            id: review.id,
            kind: review.kind,
            state: review.state === 'settled' ? ('joined' as const) : review.state,
            score: review.score,
            evidence: evidenceOf(review.evidence),
            at: review.at.toISOString(),
            sides: review.sides.map((side, index) => ({
              id: side.publicId as never,
              name: side.name,
              gender: side.gender,
              birthday: side.birthday,
              joinedAt: side.joinedAt?.toISOString() ?? null,
              store: rows[index]?.store ?? null,
              identifiers: side.identifiers.map(({ id, kind, masked, valid, revealable }) => ({
                id,
                kind,
                masked,
                valid,
                revealable,
              })),
              purchases: rows[index]?.purchases ?? 0,
              spentCents: rows[index]?.spentCents ?? 0,
              lastPurchaseAt: rows[index]?.lastPurchaseAt ?? null,
            })),
          }
        }),
      )
      return { items, next: page.next }
    }),
    findDuplicates: api.findDuplicates.handler(({ context: { now } }) =>
      orRunning(findDuplicates(deps, db, now)),
    ),
    join: api.join.handler(async ({ input, context }) =>
      db.transaction(async (tx) => {
        const keep = await personOf(tx, input.keep)
        if (keep === undefined)
          throw new Problem('bad_input', 'There is no such member to keep.', { field: 'keep' })
        const mergeId = await joinReview(deps, tx, input.id, { ...by(context), keep })
        await audit(tx, context, {
          action: 'member.joined_by_hand',
          objectKind: 'merge',
          objectId: mergeId,
          after: { keep: input.keep },
        })
        return { mergeId }
      }),
    ),
    keepApart: api.keepApart.handler(async ({ input, context }) =>
      db.transaction(async (tx) => {
        await apartReview(deps, tx, input.id, by(context))
        await audit(tx, context, {
          action: 'member.kept_apart',
          objectKind: 'review',
          objectId: input.id,
          reason: input.reason,
        })
        return { ok: true as const }
      }),
    ),
    merges: api.merges.handler(async ({ input, context: { viewer } }) => {
      const page = await mergesPage(db, input, viewer)
      const names = await staffNames(
        db,
        page.items.flatMap((merge) => merge.actor ?? []),
      )
      return {
        items: page.items.map((merge) => ({
          id: merge.id,
          at: merge.at.toISOString(),
          cause: merge.cause,
          actor: merge.actor === null ? null : (names.get(merge.actor)?.name ?? null),
          kept: merge.keptPublicId as never,
          keptName: merge.keptName,
          absorbedName: merge.absorbedName,
          profiles: merge.profiles.length,
          undoneAt: merge.undoneAt?.toISOString() ?? null,
        })),
        next: page.next,
      }
    }),
    undoMerge: api.undoMerge.handler(async ({ input, context }) =>
      db.transaction(async (tx) => {
        await undoMerge(deps, tx, input.id, by(context))
        await audit(tx, context, { action: 'member.merge_undone', objectKind: 'merge', objectId: input.id })
        return { ok: true as const }
      }),
    ),
  })
}

const ANSWER_MS = 20_000

/** What a search found, or that it goes on: proxies give a request up long before a million people are compared. */
async function orRunning(
  search: Promise<{ proposed: number }>,
): Promise<{ proposed: number; running: boolean }> {
  const answered = new AbortController()
  const late = sleep(ANSWER_MS, undefined, { signal: answered.signal, ref: false }).catch(() => undefined)
  try {
    const found = await Promise.race([search, late])
    return found ? { ...found, running: false } : { proposed: 0, running: true }
  } finally {
    answered.abort()
  }
}

const fieldWords: Readonly<Record<string, { zh: string; en: string }>> = {
  name: { zh: '姓名', en: 'name' },
  birthday: { zh: '生日', en: 'birthday' },
  last4: { zh: '手机号后四位', en: 'last four digits of the phone' },
  address: { zh: '地址', en: 'address' },
  city: { zh: '城市', en: 'city' },
  gender: { zh: '性别', en: 'gender' },
  remark: { zh: '导购备注里的手机号', en: 'phone in the remark of a guide' },
  phone: { zh: '手机号', en: 'phone' },
  card: { zh: '会员卡号', en: 'card number' },
  email: { zh: '邮箱', en: 'e-mail' },
  unionid: { zh: 'UnionID', en: 'UnionID' },
  oa_openid: { zh: '公众号 OpenID', en: 'official account OpenID' },
  mp_openid: { zh: '小程序 OpenID', en: 'mini program OpenID' },
  external_userid: { zh: '企微客户 ID', en: 'WeCom id' },
}
const saysWords: Readonly<Record<string, { zh: string; en: string }>> = {
  same: { zh: '相同', en: 'same' },
  sounds_same: { zh: '读音相同', en: 'sounds the same:' },
  similar: { zh: '相近', en: 'similar' },
  same_phone: { zh: '相同', en: 'same' },
}

/** Evidence names fields and how they agree, never values; said as short sentences. */
function evidenceOf(evidence: unknown): { zh: string; en: string }[] {
  if (!Array.isArray(evidence)) return []
  return evidence.flatMap((one: { field?: string; says?: string; alike?: number }) => {
    const field = fieldWords[one.field ?? '']
    const says = saysWords[one.says ?? '']
    if (!field || !says) return []
    const much = one.says === 'similar' && one.alike !== undefined ? Math.round(one.alike * 100) : undefined
    return [
      {
        zh: `${field.zh}${says.zh}${much === undefined ? '' : `（${much}%）`}`,
        en: `${says.en} ${field.en}${much === undefined ? '' : ` (${much}%)`}`,
      },
    ]
  })
}
