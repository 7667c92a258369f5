/** What is shown of a phone, an external user id or an account: enough to recognise it, not enough to use it. */
export function masked(entry: string): string {
  return entry.length <= 7 ? `${entry.slice(0, 1)}****` : `${entry.slice(0, 3)}****${entry.slice(-4)}`
}
