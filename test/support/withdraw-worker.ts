/** A process that takes back the messages of a SOP and may be killed on the way. Argument: JSON of `Order`. */
import { withdrawAll } from '../../server/journeys/journeys.ts'
import { armCrashPoint } from '../../server/platform/crash.ts'
import { openDatabase } from '../../server/platform/postgres/database.ts'
import { instant } from '../../server/platform/time/clock.ts'

export type Order = { databaseUrl: string; journeyId: string; at: string; crashAt: string }

const order = JSON.parse(process.argv[2] ?? '{}') as Order
const db = openDatabase(order.databaseUrl, { max: 2, applicationName: 'withdraw-worker' })
armCrashPoint(order.crashAt)
await withdrawAll(db, order.journeyId, instant(order.at))
await db.close()
