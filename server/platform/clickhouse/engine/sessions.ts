/** The sessions of the engine's process, by what they are for. Loads nothing, so that its parent can know them too. */

export const lanes = ['write', 'page', 'heavy', 'control'] as const
export type Lane = (typeof lanes)[number]

export const SESSIONS: Readonly<Record<Lane, number>> = { write: 1, page: 2, heavy: 1, control: 1 }

export const sessionCount = Object.values(SESSIONS).reduce((sum, count) => sum + count, 0)
