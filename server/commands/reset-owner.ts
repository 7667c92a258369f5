import { resetOwner as resetOwnerOf } from '../org/org.ts'
import { systemClock } from '../platform/time/clock.ts'
import { type Command, withStores } from './command.ts'

/** For an owner who cannot get in. Whoever may run this on the machine could read the database anyway. */
export async function resetOwner(command: Command): Promise<undefined> {
  const { terminal } = command
  const owner = await withStores(command, 'either', ({ db }) => resetOwnerOf(db, systemClock.now()))
  terminal.say(`Sign in once with: ${owner.login} / ${owner.oneTimePassword}`)
  terminal.say('The password must be changed then; all former sessions have ended.')
  terminal.result(owner)
}
