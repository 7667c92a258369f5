/**
 * Owns tags, segments, the condition language, life cycle, RFM, and the truth about who belongs to which segment and since what.
 * Promises: one meaning of a rule everywhere (evaluation, preview, explanation), every change told with its cause, and nothing that an import brings looks like something that happened.
 * Never does: send, enrol, or ask a later capability; what those know comes as events with absolute values.
 */

export { baseAsOf, type PastBase } from './lifecycle/as-of.ts'
export {
  lifecycleFigures,
  lifecycleOverview,
  type Overview,
  rfmOverview,
  sourceFlow,
} from './lifecycle/overview.ts'
export { publishCutPoints } from './measures/cut-points.ts'
export { BulkTurns } from './segments/bulk-turns.ts'
export { countDue } from './segments/due.ts'
export { type Evaluated, type EvaluateHow, evaluateOnce } from './segments/evaluate.ts'
export { type Explained, explainMembership } from './segments/explain.ts'
export { type Growth, segmentGrowth } from './segments/growth.ts'
export { type Overlap, segmentOverlap } from './segments/overlap.ts'
export { type Previewed, type PreviewHow, previewRule } from './segments/preview.ts'
export { type Recomputed, type RecomputeHow, recompute } from './segments/recompute.ts'
export { followRenumbering } from './segments/renumbered.ts'
export { type Restless, restlessPersons } from './segments/restless.ts'
export {
  changeSegment,
  createSegment,
  deleteSegment,
  inSegment,
  listSegments,
  refuseUnfollowed,
  ruleNames,
  type SegmentRow,
  type SegmentShown,
  segmentMembers,
  segmentNamed,
  segmentsOf,
  sentences,
} from './segments/segment.ts'
export { orderMembership, type StateRow, selectStates as statesOf } from './segments/store.ts'
export { takeAnew, takeOnce } from './segments/take.ts'
export { audienceFollower } from './tags/follower.ts'
export {
  type Loss,
  listLosses,
  markWrittenBack,
  type PersonTag,
  type PersonValue,
  removeTags,
  setTags,
  type Tagging,
  type TagHow,
  tagsOf,
} from './tags/tagging.ts'
export {
  changeTag,
  changeTagGroup,
  createTag,
  createTagGroup,
  listTagGroups,
  listTags,
  retireTags,
  type TagFields,
  type TagShown,
  undoRetirement,
} from './tags/taxonomy.ts'
export { disuses, refuseWhileUsed, type Used, type User, usersByObject, usersOf, uses } from './usage.ts'
