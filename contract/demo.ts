/** The demo brand: whether it is here, and taking it out. */
import { z } from 'zod'
import { Done, route } from './base.ts'

export const DemoState = z.enum(['none', 'seeding', 'settling', 'living', 'removing', 'removed'])
export type DemoState = z.infer<typeof DemoState>

const demo = { tag: 'demo' } as const

export const demoContract = {
  get: route({
    ...demo,
    method: 'GET',
    path: '/demo',
    summary: 'Say whether the demo brand is here',
    who: ['owner', 'operator'],
  }).output(z.object({ state: DemoState, members: z.int(), orders: z.int() })),
  remove: route({
    ...demo,
    method: 'POST',
    path: '/demo/remove',
    summary: 'Take the demo brand out, with everything that came of it',
    description: 'Simulated people stop at once; the rows go in the background while the program works.',
    who: ['owner'],
  })
    /** The name of the brand again. */
    .input(z.object({ confirm: z.string().max(100) }))
    .output(Done),
}
