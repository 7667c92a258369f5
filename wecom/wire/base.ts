/** What every answer of WeCom has. Branch on `errcode` only: `errmsg` may change at any time. */
export type WireAnswer = { errcode: number; errmsg: string }

export const wireCode = {
  ok: 0,
  busy: -1,
  badSecret: 40001,
  badCorp: 40013,
  badToken: 40014,
  badParameter: 40058,
  badUser: 40003,
  tokenMissing: 41001,
  /** msgid missing, invalid. */
  messageIdMissing: 41046,
  messageIdInvalid: 41047,
  /** None of the customers can be sent to. */
  nobodyToSendTo: 41048,
  /** The task is still being dispatched: asked right after it was made. */
  stillDispatching: 41063,
  tooManyAttachments: 41064,
  badAttachment: 41065,
  alreadyCancelled: 41093,
  remindedTooOften: 41094,
  tokenExpired: 42001,
  tooManyCalls: 45009,
  tooManyAtOnce: 45033,
  versionConflict: 6000,
  noPermission: 48002,
  notTrustedAddress: 60020,
  userNotFound: 60111,
  badPagingCursor: 50100,
  badChatType: 86214,
} as const
