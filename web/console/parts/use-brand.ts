import { useQuery } from '@tanstack/react-query'
import type { Right, Role } from '../../../contract/base.ts'
import type { Me } from '../../../contract/session.ts'
import { api } from '../../client.ts'
import { currencySymbol, type Lang, money, shortMoney } from '../../ui/format.ts'

const FIVE_MINUTES = 300_000

/** Who is signed in; undefined for the moment until it is known. */
export function useMe(): Me | undefined {
  return useQuery(api.session.me.queryOptions({ retry: false, staleTime: FIVE_MINUTES })).data
}

/** Whether the person at the screen holds one of these roles, and the right where one is named. */
export function useMay(roles: readonly Role[], right?: Right): boolean {
  const me = useMe()
  if (!me) return false
  return me.roles.some((role) => roles.includes(role)) && (right === undefined || me.rights.includes(right))
}

/** Writes cents as money of the brand, in full and in few characters. */
export function useMoney(): {
  money: (cents: number) => string
  shortMoney: (cents: number, lang: Lang) => string
  symbol: string
} {
  const currency = useQuery(api.brand.get.queryOptions({ staleTime: FIVE_MINUTES })).data?.currency
  return {
    money: (cents) => money(cents, currency),
    shortMoney: (cents, lang) => shortMoney(cents, lang, currency),
    symbol: currencySymbol(currency),
  }
}

/** The zone in which the brand reads its clocks. */
export function useZone(): string {
  return useQuery(api.brand.get.queryOptions({ staleTime: FIVE_MINUTES })).data?.zone ?? 'Asia/Shanghai'
}
