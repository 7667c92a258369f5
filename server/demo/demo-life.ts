/** The loop of the demo brand: it does nothing where none is, settles it, lets it live, and takes it out when told to. */
import type { ClickHouse } from '../platform/clickhouse/clickhouse.ts'
import type { Loop } from '../platform/jobs/loop.ts'
import type { Clock } from '../platform/time/clock.ts'
import { liveOnce, openWorld, type World, withBorn } from './life.ts'
import { actAtProviders, openProviders, type Providers } from './provider.ts'
import { removal } from './removal.ts'
import type { DemoParts } from './seed.ts'
import { settleOnce } from './settle.ts'
import { readDemo } from './store.ts'

export type LifeParts = DemoParts & { clickhouse: ClickHouse; clock: Clock; pace?: number }

/** How much faster than life people come and buy, so that whoever looks sees the console move. */
export const DEMO_PACE = 3
const REST_MS = 5000
/** The lease under which the demo brand lives and goes. */
export const DEMO_LEASE = 'demo'

/** One loop, to be run with all others; the providers run in its process while it holds the lease. */
export function demoLife(parts: LifeParts): Loop & { acts: boolean } {
  const { db, clock, pace = DEMO_PACE } = parts
  let providers: Providers | undefined
  let world: World | undefined
  let leaving: ReturnType<typeof removal> | undefined
  async function end(): Promise<void> {
    const open = providers
    providers = undefined
    world = undefined
    leaving = undefined
    await open?.close()
  }
  return {
    name: DEMO_LEASE,
    restMs: REST_MS,
    acts: true,
    end,
    async work(token) {
      const brand = await readDemo(db)
      const now = clock.now()
      switch (brand?.state) {
        case 'settling':
          providers ??= await openProviders(db, clock)
          return Number(await settleOnce(db, brand, { token, now }))
        case 'living': {
          providers ??= await openProviders(db, clock)
          world ??= await openWorld(parts, brand)
          const lived = await liveOnce(parts, world, { token, now, pace })
          if (!lived) return 0
          world = withBorn(world, brand.seed, lived.born)
          for (const { wecomUserId, externalUserId } of lived.left)
            providers.wecom.state.strangers.add(`${wecomUserId} ${externalUserId}`)
          await actAtProviders(providers, brand.seed, lived.to)
          return lived.to < now ? 1 : 0
        }
        case 'removing':
          if (providers) await end()
          leaving ??= removal(parts, { token, now })
          if ((await leaving.next()).done === true) leaving = undefined
          return 1
        default:
          if (providers) await end()
          return 0
      }
    },
  }
}
