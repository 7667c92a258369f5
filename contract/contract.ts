/** Every route of the program, as the typed client of the pages sees it. Mounted by server/app.ts. */
import { audienceContract } from './audience.ts'
import { batchContract } from './batch.ts'
import { demoContract } from './demo.ts'
import { exportsContract } from './exports.ts'
import { importContract } from './import.ts'
import { insightContract } from './insight.ts'
import { intakeContract } from './intake.ts'
import { journeysContract } from './journeys.ts'
import { membersContract } from './members.ts'
import { orgContract } from './org.ts'
import { reachContract } from './reach.ts'
import { tasksContract } from './tasks.ts'

export const contract = {
  ...orgContract,
  members: membersContract,
  audience: audienceContract,
  journeys: journeysContract,
  reach: reachContract,
  tasks: tasksContract,
  insight: insightContract,
  imports: importContract,
  exports: exportsContract,
  intake: intakeContract,
  batch: batchContract,
  demo: demoContract,
}
