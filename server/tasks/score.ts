/** How well guides and stores carry out what headquarters asks (GT-10): 0 to 100, from what fell due. */

export type TaskCounts = { done: number; doneLate: number; late: number }

/** What a task that was done after its time still counts for. */
const LATE_SHARE = 0.5

/**
 * 100 × (done in time + ½ × done late) ÷ (done in time + done late + still late); null where nothing fell due.
 * Ours: the method asks for an execution score and gives no formula.
 */
export function scoreOf({ done, doneLate, late }: TaskCounts): number | null {
  const due = done + doneLate + late
  return due === 0 ? null : Math.round((100 * (done + LATE_SHARE * doneLate)) / due)
}
