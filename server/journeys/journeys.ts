// SOPs. Owns: definitions in versions, enrolments, stepping.
// Promises: a version that was live never changes; a person is in a SOP at most once at a time; each step is decided once.
// Never: sends (reach does), evaluates rules (audience does), lets anybody in because of an import.
export { handledTypes, liveTypes, onEvents } from './enrol.ts'
export { everInSops } from './enrolment-store.ts'
export { journeyFollower } from './follow-merges.ts'
export { goLive } from './go-live.ts'
export {
  changeDraft,
  createJourney,
  endJourney,
  type NewJourney,
  pauseJourney,
  resumeJourney,
} from './journey.ts'
export { backlogOf, countLive, journeyNames } from './journey-store.ts'
export { takeInPresent } from './present.ts'
export { stepOnce } from './step.ts'
export { withdrawAll, withdrawOnce } from './withdraw.ts'
