/** The routes by which a brand's systems send what they know. */
import { implement } from '@orpc/server'
import { batchContract } from '../../../contract/batch.ts'
import { type Call, tellFootfall, tellProducts, tellStock, tellStores } from '../../org/org.ts'
import { type BatchParts, takeMembers, takeOrders, takeRefunds } from './batch.ts'

export function batchRoutes(parts: BatchParts) {
  const { db } = parts
  const api = implement(batchContract).$context<Call>()
  const from = ({ source, backfill }: { source: string; backfill: boolean }, actor: Call) => ({
    source,
    backfill,
    actor,
  })
  return api.router({
    orders: api.orders.handler(({ input, context }) => takeOrders(parts, from(input, context), input.items)),
    refunds: api.refunds.handler(({ input, context }) =>
      takeRefunds(parts, from(input, context), input.items),
    ),
    members: api.members.handler(({ input, context }) =>
      takeMembers(parts, from(input, context), input.items),
    ),
    products: api.products.handler(({ input: { source, items }, context: actor }) =>
      tellProducts(db, { source, actor }, items),
    ),
    stores: api.stores.handler(({ input: { source, items }, context: actor }) =>
      tellStores(db, { source, actor }, items),
    ),
    stock: api.stock.handler(({ input: { source, items }, context: actor }) =>
      tellStock(db, { source, actor }, items),
    ),
    footfall: api.footfall.handler(({ input: { source, items }, context: actor }) =>
      tellFootfall(db, { source, actor }, items),
    ),
  })
}
