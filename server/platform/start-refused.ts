/** The program cannot start, or cannot go on, for a reason that its operator can remove. The message is one sentence or two for them. */
export class StartRefused extends Error {
  override name = 'StartRefused'
}
