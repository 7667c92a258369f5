// Owns content, candidates and what became of them, caps, holdouts, the outbox and the channels' modes.
// Promises: one decision a candidate with its reason, no cap broken, each touch handed over once or listed as unknown, no demo member at a real provider.
// Never knows why a journey wants a touch, and never speaks to a provider itself: that is the port Channel.
export {
  type Arbitrated,
  arbitrateOnce,
  heldOut,
  offer,
  pruneLedger,
} from './arbiter/arbitrate.ts'
export type {
  Candidate,
  ChannelName,
  TouchClass,
  TouchState,
} from './candidate.ts'
export {
  type ChannelMode,
  type ChannelShown,
  listChannels,
  simulate,
  switchOff,
} from './channels.ts'
export { type Connection, openConnections } from './connection.ts'
export {
  type ContentCheck,
  type ContentDraft,
  saveContent,
} from './content/content.ts'
export type { Content, LinkAttachment } from './content/shape.ts'
export { faultOf, render } from './content/template.ts'
export { reachFollower } from './follow-merges.ts'
export type { Addressee, Channel, Found, Handed, Handover, Progress, Result } from './outbox/channel.ts'
export { type Withdrawal, withdraw, withdrawSome } from './outbox/close.ts'
export { type Delivered, deliverOnce } from './outbox/deliver.ts'
export { type Receipt, takeReceipts } from './outbox/follow.ts'
export type { AskAPerson, Contact, People, ReachPorts, Recipient, Request } from './ports.ts'
export { reachHandler } from './react.ts'
export {
  countTouches,
  depthOf,
  funnelOf,
  listTouches,
  type TouchCount,
  type TouchFilter,
  type TouchRow,
  touchesOfDay,
} from './read.ts'
export { type ReachRules, reachRules } from './settings.ts'
