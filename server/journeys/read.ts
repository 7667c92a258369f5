/** What pages ask about SOPs: counts, the canvas, the funnel, who is in, what going live would do. */
import type { JourneyDefinition } from '../../contract/journey-definition.ts'
import type { GoLiveCheck, Journey, JourneyDetail } from '../../contract/journeys.ts'
import type { Database, Db } from '../platform/postgres/database.ts'
import { addDays, type Day, dayOf, type Zone } from '../platform/time/zone.ts'
import { countTouches, funnelOf, listChannels, reachRules } from '../reach/reach.ts'
import { canvasOf } from './canvas.ts'
import { allFaults } from './faults.ts'
import { entrySegment } from './journey.ts'
import type { JourneyRow } from './journey-store.ts'
import { inOrder } from './node-order.ts'
import { answersStand, reachableIn, sizeOf } from './person-store.ts'
import { journeyCounts, nodeCounts, results } from './read-store.ts'
import { templates } from './templates.ts'

const FORECAST_DAYS = 31

/** SOPs as the list shows them. */
export async function shownJourneys(
  db: Db,
  rows: readonly JourneyRow[],
  today: { from: Date; to: Date },
): Promise<Journey[]> {
  const counts = await journeyCounts(
    db,
    rows.map((row) => row.id),
    today,
  )
  return rows.map((row) => {
    const template = templates[row.template]
    const count = counts.get(row.id)
    return {
      id: row.id,
      name: row.name,
      template: row.template,
      state: row.state,
      version: row.version,
      goal: template.goal,
      entry: template.entry,
      enrolled: count?.enrolled ?? 0,
      active: count?.active ?? 0,
      finished: count?.finished ?? 0,
      touchesToday: count?.touches ?? 0,
      tasksToday: count?.tasks ?? 0,
      demo: row.demo,
      liveSince: row.live_since?.toISOString() ?? null,
    }
  })
}

/** One SOP with its canvas, funnel, result against the holdout and why messages did not go out. */
export async function journeyDetail(
  db: Database,
  row: JourneyRow,
  today: { from: Date; to: Date },
): Promise<JourneyDetail> {
  const [shown] = await shownJourneys(db, [row], today)
  if (!shown) throw new Error('a journey vanished while it was read')
  const counts = await nodeCounts(db, row.id, row.number)
  const [touched, reasons, outcome] = [
    await funnelOf(db, row.id),
    await countTouches(db, { journeyId: row.id }),
    await results(db, row.id),
  ]
  return {
    ...shown,
    ...canvasOf(row.definition, counts),
    funnel: [
      step('entered', '进入', 'Entered', outcome.treated, outcome.heldOut),
      step('touched', '触达', 'Touched', touched.touched, null),
      step('delivered', '送达', 'Delivered', touched.delivered, null),
      step('tasks_done', '导购完成任务', 'Guide tasks done', outcome.tasksDone, null),
      step('returned', '回店购买', 'Came back', outcome.treatedReturned, outcome.heldOutReturned),
    ],
    result: {
      windowDays: row.definition.returnWindowDays,
      treated: outcome.treated,
      treatedReturned: outcome.treatedReturned,
      heldOut: outcome.heldOut,
      heldOutReturned: outcome.heldOutReturned,
      costCents: touched.costCents,
    },
    reasons: reasons.map((count) => ({ ...count, text: { zh: count.reason, en: count.reason } })),
    settings: { againAfterDays: row.definition.againAfterDays, enterPresent: row.enter_present },
    steps: inOrder(row.definition).flatMap((node) => {
      if (node.kind === 'touch')
        return [{ nodeId: node.id, name: node.title, text: node.text, channel: node.channel }]
      if (node.kind === 'task')
        return [{ nodeId: node.id, name: node.title, text: node.script, channel: 'task' }]
      return []
    }),
  }
}

function step(
  key: string,
  zh: string,
  en: string,
  persons: number,
  heldOut: number | null,
): JourneyDetail['funnel'][number] {
  return { step: key, name: { zh, en }, persons, heldOut }
}

/** What going live would do, before anything goes out: how many enter now, what follows by day, by which channel, at what cost. */
export async function goLiveCheck(
  db: Db,
  row: JourneyRow,
  how: { zone: Zone; now: Date },
): Promise<GoLiveCheck> {
  const segment = entrySegment(row.definition)
  const rules = await reachRules(db)
  const channels = await listChannels(db)
  const takesIn = row.enter_present && segment !== null
  const enters = takesIn ? await sizeOf(db, segment) : 0
  const counted = !takesIn || (await answersStand(db))
  const held = Math.round((enters * (rules.holdouts.basePercent + rules.holdouts.journeyPercent)) / 100)
  const byChannel = await Promise.all(
    usedChannels(row.definition).map(async (channel) => {
      const reachable = segment === null || enters === 0 ? 0 : await reachableIn(db, segment, channel)
      const mode = channels.find((each) => each.name === channel)?.mode ?? 'off'
      return { channel, reachable, unreachable: enters - reachable, mode }
    }),
  )
  const perDay = forecast(row.definition, enters - held, dayOf(how.zone, how.now))
  return {
    entersNow: enters,
    perDay,
    byChannel,
    heldOut: held,
    // Nobody is left out and everybody passes every message: more it cannot be.
    costCents: row.definition.nodes.reduce((sum, node) => {
      if (node.kind !== 'touch') return sum
      const reachable = byChannel.find(({ channel }) => channel === node.channel)?.reachable ?? 0
      return sum + reachable * (node.channel === 'sms' ? rules.costs.smsCents : rules.costs.wecomCents)
    }, 0),
    problems: [
      ...allFaults(row.definition).map((fault) => ({ ...fault, blocks: true })),
      ...(counted ? [] : [STILL_COUNTING]),
      ...byChannel
        .filter((each) => each.mode === 'off')
        .map((each) => ({
          nodeId: null,
          blocks: false,
          text: {
            zh: `${CHANNELS[each.channel].zh}渠道未开启，消息会被记录为未发送`,
            en: `The channel ${CHANNELS[each.channel].en} is off: its messages will be dropped and listed`,
          },
        })),
    ],
  }
}

const CHANNELS = { wecom: { zh: '企业微信', en: 'WeCom' }, sms: { zh: '短信', en: 'SMS' } }

const STILL_COUNTING = {
  nodeId: null,
  blocks: true,
  text: {
    zh: '人群还在计算中，现在进入多少人还不知道；请稍候，算完即可上线',
    en: 'Segments are still being computed, so nobody can say how many enter now: it can go live when that is done',
  },
}

function usedChannels(definition: JourneyDefinition): ('wecom' | 'sms')[] {
  return [...new Set(definition.nodes.flatMap((node) => (node.kind === 'touch' ? [node.channel] : [])))]
}

/** Everybody takes the first way at each fork: an upper estimate, by day from today. */
function forecast(definition: JourneyDefinition, persons: number, today: Day): GoLiveCheck['perDay'] {
  if (persons === 0) return []
  const byId = new Map(definition.nodes.map((node) => [node.id, node]))
  const days = new Map<number, { touches: number; tasks: number }>()
  const add = (day: number, what: 'touches' | 'tasks'): void => {
    const counts = days.get(day) ?? { touches: 0, tasks: 0 }
    counts[what] += persons
    days.set(day, counts)
  }
  let node = definition.nodes.find((each) => each.kind === 'trigger')?.id
  let day = 0
  for (let hops = 0; node !== undefined && hops <= definition.nodes.length; hops += 1) {
    const here = byId.get(node)
    if (!here || here.kind === 'exit') break
    if (here.kind === 'wait') day = Math.max(day, here.days)
    if (here.kind === 'touch') add(day, 'touches')
    if (here.kind === 'task') add(day, 'tasks')
    node = here.kind === 'branch' ? here.no : here.next
  }
  return [...days]
    .filter(([at]) => at <= FORECAST_DAYS)
    .map(([at, counts]) => ({ day: addDays(today, at), ...counts }))
}
