/**
 * Who is held out: a keyed hash of person and scope, so that nobody can choose, and the same answer every time.
 * The first answer is recorded and stands, also when the share is changed later.
 */
import type { BlindIndex } from '../../platform/crypto/blind-index.ts'

const PERMILLE = 1000

/** Whether the person falls into a share of `permille` thousandths in that scope (a journey's id, or `WHOLE_BASE`). */
export function isHeldOut(index: BlindIndex, scope: string, personId: number, permille: number): boolean {
  return index.digest('holdout', scope, String(personId)).readUIntBE(0, 6) % PERMILLE < permille
}

/** 5 % = 50 thousandths. */
export function permilleOf(percent: number): number {
  return Math.round(percent * 10)
}
