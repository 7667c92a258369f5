/** The only reader of the environment: everything else is given a `Config`. */
import { resolve } from 'node:path'
import { z } from 'zod'
import { GIB } from './platform/disk.ts'
import { StartRefused } from './platform/start-refused.ts'

const optionalUrl = (schemes: readonly string[]) =>
  z
    .string()
    .trim()
    .optional()
    .transform((text) => (text === '' ? undefined : text))
    .refine(
      (text) => text === undefined || schemes.some((scheme) => text.startsWith(`${scheme}://`)),
      `must start with ${schemes.map((scheme) => `${scheme}://`).join(' or ')}`,
    )

const flag = z
  .enum(['0', '1', 'true', 'false', ''])
  .default('0')
  .transform((text) => text === '1' || text === 'true')

const Environment = z.object({
  LIULIANG_DATA: z.string().min(1).default('./data'),
  PORT: z.coerce.number().int().min(0).max(65_535).default(7300),
  HOST: z.string().min(1).default('127.0.0.1'),
  /** The address that browsers use, where a proxy stands before the program: https://crm.brand.cn */
  LIULIANG_PUBLIC_URL: optionalUrl(['http', 'https']),
  /** Believe X-Forwarded-For and X-Forwarded-Proto of the proxy. */
  LIULIANG_TRUST_PROXY: flag,
  DATABASE_URL: optionalUrl(['postgres', 'postgresql']),
  CLICKHOUSE_URL: optionalUrl(['http', 'https']),
  /** The name of a cluster in `remote_servers` of that ClickHouse, over which tables are spread. */
  CLICKHOUSE_CLUSTER: z
    .string()
    .trim()
    .regex(/^(?:[A-Za-z_][\w-]*)?$/, 'must be the name of a cluster: letters, digits, _ and -')
    .optional()
    .transform((text) => (text === '' ? undefined : text)),
  /** 32 bytes, base64 or hex; without it a key is made in the data directory. */
  LIULIANG_MASTER_KEY: z
    .string()
    .trim()
    .optional()
    .transform((text) => (text === '' ? undefined : text)),
  LIULIANG_DEMO: z.enum(['auto', 'off']).default('auto'),
  LIULIANG_LOG: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
  /** Statement pool of one process. */
  PATH: z.string().default('/usr/local/bin:/usr/bin:/bin'),
  /** Tests only: ends the process by SIGKILL at the n-th passing of a crash point, `name:n` (server/platform/crash.ts). */
  LIULIANG_CRASH_POINT: z.string().optional(),
  /** Below so many free GB on the disk of our own stores, intake and sending wait. */
  LIULIANG_LEAST_FREE_GB: z.coerce.number().min(0).max(1_000_000).default(2),
  LIULIANG_DB_POOL: z.coerce.number().int().min(4).max(200).default(12),
})

export type Config = {
  dataDirectory: string
  host: string
  port: number
  publicUrl: string | undefined
  trustProxy: boolean
  databaseUrl: string | undefined
  clickhouseUrl: string | undefined
  clickhouseCluster: string | undefined
  masterKey: string | undefined
  demo: 'auto' | 'off'
  logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent'
  databasePool: number
  /** Bytes. */
  leastFree: number
  /** Where programs of the system (pg_dump) are found. */
  programPath: string
  /** Tests only, see server/platform/crash.ts. */
  crashPoint: string | undefined
}

/** Reads the environment. Errors: `StartRefused` that names the variable, never its value (it may hold a password). */
export function readConfig(environment: Record<string, string | undefined> = process.env): Config {
  const read = Environment.safeParse(environment)
  if (!read.success) {
    const issue = read.error.issues[0]
    throw new StartRefused(
      `The environment variable ${issue?.path.join('.')} cannot be used: ${issue?.message}.`,
    )
  }
  const values = read.data
  if (values.CLICKHOUSE_CLUSTER !== undefined && values.CLICKHOUSE_URL === undefined) {
    throw new StartRefused(
      'CLICKHOUSE_CLUSTER needs CLICKHOUSE_URL: the built-in ClickHouse is one server. Set both or neither.',
    )
  }
  return {
    dataDirectory: resolve(values.LIULIANG_DATA),
    host: values.HOST,
    port: values.PORT,
    publicUrl: values.LIULIANG_PUBLIC_URL,
    trustProxy: values.LIULIANG_TRUST_PROXY,
    databaseUrl: values.DATABASE_URL,
    clickhouseUrl: values.CLICKHOUSE_URL,
    clickhouseCluster: values.CLICKHOUSE_CLUSTER,
    masterKey: values.LIULIANG_MASTER_KEY,
    demo: values.LIULIANG_DEMO,
    logLevel: values.LIULIANG_LOG,
    databasePool: values.LIULIANG_DB_POOL,
    leastFree: values.LIULIANG_LEAST_FREE_GB * GIB,
    programPath: values.PATH,
    crashPoint: values.LIULIANG_CRASH_POINT,
  }
}
