/** The ports of the capabilities, joined: what an earlier rank declares and a later one implements. */
import { audienceFollower, setTags } from './audience/audience.ts'
import type { Handler, ImportParts, IntakePeople } from './events/events.ts'
import { type ExportParts, exportFollower } from './insight/insight.ts'
import { everInSops, handledTypes, journeyFollower, liveTypes, onEvents } from './journeys/journeys.ts'
import {
  adjust,
  areKnown,
  type Follower,
  type MembersDeps,
  mobileNumbers,
  placesInUse,
  profilesThere,
  RESOLVING,
  reachables,
  reachDigest,
  refer,
  resolve,
  strayed,
  undoImport,
} from './members/members.ts'
import type { Keyring } from './platform/crypto/master-key.ts'
import type { Clock } from './platform/time/clock.ts'
import { type People, type ReachPorts, reachFollower, reachHandler } from './reach/reach.ts'
import type { Stores } from './stores.ts'
import type { PutTag } from './tasks/routes.ts'
import { askAPerson, taskFollower } from './tasks/tasks.ts'

/** Who moves along when persons are joined or parted, in the order of ranks. */
const followers: readonly Follower[] = [
  audienceFollower,
  reachFollower,
  {
    name: 'tasks',
    async merged(tx, merges) {
      for (const merge of merges) await taskFollower.merged(tx, merge)
    },
    async split(tx, splits) {
      for (const split of splits) await taskFollower.split(tx, split)
    },
    erased: taskFollower.erased,
  },
  {
    name: 'journeys',
    async merged(tx, merges) {
      for (const merge of merges) await journeyFollower.merged(tx, merge)
    },
    async split(tx, splits) {
      for (const split of splits) await journeyFollower.split(tx, split)
    },
    removed: journeyFollower.removed,
    erased: journeyFollower.erased,
  },
  exportFollower,
]

/** What reacts to events, in this order. */
export const handlers: readonly Handler[] = [
  reachHandler,
  {
    name: 'journeys',
    types: [...handledTypes],
    liveOnly: liveTypes,
    bulkOnlyFor: { types: ['order_recorded'], persons: everInSops },
    handle: onEvents,
  },
]

export function membersDeps(keys: Keyring): MembersDeps {
  return { keys, followers }
}

export function intakePeople(keys: Keyring): IntakePeople {
  const deps = membersDeps(keys)
  return {
    index: keys.index,
    refer: (tx, named, how) => refer(deps, tx, named, how),
    resolve: (tx, statements, how) => resolve(deps, tx, statements, how),
    known: (tx, named) => areKnown(deps, tx, named),
    opening: RESOLVING,
    strayed,
    adjust: (tx, changes, how) => adjust(deps, tx, changes, how),
  }
}

export function reachPorts(keys: Keyring): ReachPorts & { people: People } {
  return {
    askAPerson,
    people: {
      recipients: (db, personIds) => reachables(db, keys, personIds),
      phones: (db, personIds) => mobileNumbers(db, keys, personIds),
      digest: (channel, value) => reachDigest(keys, channel, value),
    },
  }
}

export function importParts(
  { db, keyring, folders, disk }: Pick<Stores, 'db' | 'keyring' | 'folders' | 'disk'>,
  clock: Clock,
): ImportParts {
  const deps = membersDeps(keyring)
  return {
    db,
    clock,
    cipher: keyring.cipher,
    folder: folders.files,
    disk,
    resolve: (tx, statements, how) => resolve(deps, tx, statements, how),
    undoPeople: (tx, importId, at, how) => undoImport(deps, tx, importId, at, how),
    placesInUse,
    profilesThere,
  }
}

export function exportParts(
  { db, keyring, folders }: Pick<Stores, 'db' | 'keyring' | 'folders'>,
  clock: Clock,
): ExportParts {
  return { db, keyring, clock, folder: folders.files }
}

/** What a guide says about a member by doing a task. */
export const putTag: PutTag = async (tx, { personId, tagId, staffId, at }) => {
  const how = { producer: 'guide', origin: 'manual', at, staffId, reason: 'guide task' } as const
  await setTags(tx, [{ personId, tagId }], how)
}
