import { expect, test, vi } from 'vitest'
import { GIB, inGigabytes, noDisk, refuseWithoutRoom, watchDisk } from './disk.ts'

test('the fullest disk decides, at exactly the limit there is room, and a byte below there is none', async () => {
  const free = new Map([
    ['/data', 2 * GIB],
    ['/engine', 50 * GIB],
  ])
  const disk = await watchDisk([...free.keys()], {
    least: 2 * GIB,
    probe: async (folder) => ({ free: free.get(folder) ?? 0, share: folder === '/data' ? 0.4 : 0.05 }),
  })
  expect([disk.trouble(), disk.share()]).toEqual([undefined, 0.05])
  free.set('/data', 2 * GIB - 1)
  await disk.refresh()
  expect(disk.trouble()).toContain('Only 1.9 GB are free on the disk of /data')
  free.set('/engine', GIB)
  await disk.refresh()
  expect(disk.trouble()).toContain('Only 1 GB are free on the disk of /engine')
  expect(() => refuseWithoutRoom(disk)).toThrow(/below 2 GB imports, intake and sending wait/)
  disk.stop()
})

test('what waits goes on by itself once there is room again', async () => {
  let free = GIB
  const disk = await watchDisk(['/data'], {
    least: 2 * GIB,
    probe: async () => ({ free, share: 0.5 }),
    everyMs: 5,
  })
  expect(disk.trouble()).toBeDefined()
  free = 3 * GIB
  await vi.waitFor(() => expect(disk.trouble()).toBeUndefined())
  disk.stop()
})

test('a disk that cannot be asked stops nothing, nor does one that is not ours', async () => {
  const disk = await watchDisk(['/gone'], {
    least: GIB,
    probe: () => Promise.reject(new Error('stale file handle')),
  })
  expect([disk.fullest()?.free, disk.trouble()]).toEqual([undefined, undefined])
  refuseWithoutRoom(noDisk)
  disk.stop()
})

test('gigabytes are rounded down', () => {
  expect([2 * GIB, 1.99 * GIB, 0.04 * GIB].map(inGigabytes)).toEqual(['2', '1.9', '0'])
})
