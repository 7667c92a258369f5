/** A stable draw of persons: the same in code and in SQL. */
import { type Sql, sql } from '../../platform/postgres/sql.ts'

/** 32-bit mixing by xor and multiplication; the factor stays below 2^31, so that SQL can do it in bigint. */
const FACTOR = 73_244_475

/** 0…9999 for a person, by the salt. */
export function drawOf(seed: number, personId: number): number {
  let value = (personId + seed) >>> 0
  for (let round = 0; round < 2; round += 1) {
    value = Math.imul((value ^ (value >>> 16)) >>> 0, FACTOR) >>> 0
  }
  return ((value ^ (value >>> 16)) >>> 0) % 10_000
}

/** The same number in PostgreSQL, for a column of person ids. */
export function drawSql(seed: number, personId: Sql): Sql {
  let value = sql`((${personId}::bigint + ${seed}::bigint) & 4294967295)`
  for (let round = 0; round < 2; round += 1) {
    value = sql`(((${value} # (${value} >> 16)) * ${FACTOR}::bigint) & 4294967295)`
  }
  return sql`((${value} # (${value} >> 16)) % 10000)`
}

/** FNV-1a over the UTF-8 bytes of the salt. */
export function seedOf(salt: string): number {
  let hash = 0x811c9dc5
  for (const byte of new TextEncoder().encode(salt)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0
  return hash
}
