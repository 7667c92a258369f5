import type { ComponentType } from 'react'
import { createBrowserRouter, type RouteObject } from 'react-router'
import { Shell } from './Shell.tsx'

/** Every address of the console and the page that answers it. Each feature is fetched when it is first opened. */
const pages: readonly [string, () => Promise<ComponentType>][] = [
  ['/', async () => (await import('../features/home/Home.tsx')).Home],
  ['/members', async () => (await import('../features/members/Members.tsx')).Members],
  ['/members/:id', async () => (await import('../features/members/Member.tsx')).Member],
  ['/audit-base', async () => (await import('../features/audit-base/AuditBase.tsx')).AuditBase],
  ['/import', async () => (await import('../features/import/Imports.tsx')).Imports],
  ['/import/:id', async () => (await import('../features/import/ImportRun.tsx')).ImportRun],
  ['/identity', async () => (await import('../features/identity/Identity.tsx')).Identity],
  ['/segments', async () => (await import('../features/segments/Segments.tsx')).Segments],
  ['/segments/new', async () => (await import('../features/segments/SegmentEditor.tsx')).SegmentEditor],
  ['/segments/:id', async () => (await import('../features/segments/SegmentEditor.tsx')).SegmentEditor],
  ['/tags', async () => (await import('../features/tags/Tags.tsx')).Tags],
  ['/journeys', async () => (await import('../features/journeys/Journeys.tsx')).Journeys],
  ['/journeys/:id', async () => (await import('../features/journeys/Journey.tsx')).Journey],
  ['/touches', async () => (await import('../features/touches/Touches.tsx')).Touches],
  ['/tasks', async () => (await import('../features/tasks/Tasks.tsx')).Tasks],
  ['/lifecycle', async () => (await import('../features/lifecycle/Lifecycle.tsx')).Lifecycle],
  ['/settings', async () => (await import('../features/settings/Settings.tsx')).Settings],
  ['/staff', async () => (await import('../features/staff/Staff.tsx')).Staff],
  ['/tracking', async () => (await import('../features/tracking/Tracking.tsx')).Tracking],
  ['/audit-trail', async () => (await import('../features/audit-trail/AuditTrail.tsx')).AuditTrail],
  ['/dead-letters', async () => (await import('../features/dead-letters/DeadLetters.tsx')).DeadLetters],
]

function page([path, load]: readonly [string, () => Promise<ComponentType>]): RouteObject {
  return { path, lazy: async () => ({ Component: await load() }) }
}

export const router = createBrowserRouter([
  page(['/sign-in', async () => (await import('../features/session/SignIn.tsx')).SignIn]),
  page(['/password', async () => (await import('../features/session/Password.tsx')).Password]),
  { Component: Shell, children: pages.map(page) },
])
