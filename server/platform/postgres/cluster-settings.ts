/** The text of postgresql.conf for the built-in PostgreSQL, written anew at every start. */
import { availableParallelism, totalmem } from 'node:os'

export type ClusterSettings = {
  port: number
  maxConnections: number
  /** False in tests only: what is written need not survive a power cut. */
  durable: boolean
  /** Bytes of the tables at this start. */
  dataBytes: number
}

const GIB = 1024 ** 3

export function settingsText({ port, maxConnections, durable, dataBytes }: ClusterSettings): string {
  const memory = Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY)
  const small = memory < 4 * GIB
  const on = durable ? 'on' : 'off'
  const settings: Record<string, string | number> = {
    listen_addresses: `'127.0.0.1'`,
    port,
    unix_socket_directories: `''`,
    max_connections: maxConnections,
    password_encryption: `'scram-sha-256'`,

    // "Durable" means these three, together with the same on the client: nobody turns them off for speed.
    fsync: on,
    synchronous_commit: on,
    full_page_writes: on,
    wal_level: 'replica',
    max_wal_senders: 2,
    max_replication_slots: 4,
    max_wal_size: `'2GB'`,
    checkpoint_timeout: `'10min'`,
    ...(process.platform === 'linux' ? { recovery_init_sync_method: 'syncfs' } : {}),

    // A page that was read stays in there for good: a small brand shall not hold more than it is large.
    shared_buffers: `'${bufferMegabytes(dataBytes, small)}MB'`,
    effective_cache_size: `'${Math.max(256, Math.floor(memory / 4 / 1024 ** 2))}MB'`,
    work_mem: `'16MB'`,
    maintenance_work_mem: small ? `'64MB'` : `'128MB'`,
    io_workers: 2,
    max_parallel_workers_per_gather: availableParallelism() <= 2 ? 0 : 2,
    jit: 'off',
    random_page_cost: 1.1,
    autovacuum_max_workers: 2,
    autovacuum_naptime: `'30s'`,

    // An open transaction holds every reader of the log back; one that its client forgot is ended.
    idle_in_transaction_session_timeout: `'30s'`,
    // A statement whose client was killed does not run on.
    client_connection_check_interval: `'5s'`,

    timezone: `'UTC'`,
    log_timezone: `'UTC'`,
    lc_messages: `'C'`,

    // No personal data in logs: no statements, no parameters, no DETAIL lines with the offending values.
    log_min_error_statement: 'panic',
    log_parameter_max_length_on_error: 0,
    log_error_verbosity: 'terse',
    log_checkpoints: 'off',
    // A ring of seven files, one per weekday.
    logging_collector: 'on',
    log_directory: `'../log'`,
    log_filename: `'postgres-%a.log'`,
    log_rotation_age: `'1d'`,
    log_truncate_on_rotation: 'on',
    log_file_mode: '0600',
  }
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}`)
  return [
    '# Written by Liuliang at every start. Settings of your own belong in local.conf beside this file.',
    ...lines,
    `include_if_exists = 'local.conf'`,
    '',
  ].join('\n')
}

const MIB = 1024 ** 2

/**
 * Beyond what is held here the system's own cache serves: a brand of 20,000 members has tables of some 300 MB. Asked anew at
 * each start. A new base is about to be written, which takes PostgreSQL a third more processor time with half the buffers.
 */
function bufferMegabytes(dataBytes: number, small: boolean): number {
  if (dataBytes < 64 * MIB) return 64
  if (dataBytes < GIB / 2) return 32
  return small || dataBytes < GIB ? 96 : 256
}

/** pg_hba.conf: the loopback, with a password, and nothing else. */
export const ACCESS_TEXT = 'host all all 127.0.0.1/32 scram-sha-256\n'
