/** Settings of the brand: their names, their schemas and what holds until somebody changes them. */
import { z } from 'zod'

const LocalTime = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'HH:MM')
const Days = z.int().min(1).max(36_500)
const Percent = z.number().min(0).max(100)

/** Whole days since the last purchase: active < silent ≤ d < nearSleep ≤ d < hibernating ≤ d ≤ lost < d. */
const Bands = z
  .object({ silent: Days, nearSleep: Days, hibernating: Days, lost: Days })
  .refine(
    (bands) =>
      bands.silent < bands.nearSleep && bands.nearSleep < bands.hibernating && bands.hibernating < bands.lost,
    'each edge must lie after the one before',
  )
export type Bands = z.infer<typeof Bands>

export const settingSchemas = {
  lifecycle_bands: z.object({ brand: Bands, byCategory: z.record(z.string().min(1).max(200), Bands) }),
  /** Local time of the brand; may pass midnight. */
  quiet_hours: z.object({ from: LocalTime, to: LocalTime }),
  caps: z.object({
    /** Marketing touches one to one per person, over all staff and journeys, in rolling days of 24 hours. */
    marketingTouches: z.int().min(0).max(100),
    withinDays: z.int().min(1).max(40),
    momentsPerStaffAndDay: z.int().min(0).max(100),
    slotMinutes: z.int().min(1).max(1440),
  }),
  holdouts: z.object({ basePercent: Percent, journeyPercent: Percent }),
  /** How long after it happened a live event still starts anything. */
  freshness: z.object({
    eventHours: z.number().positive().max(720),
    transactionalHours: z.number().positive().max(720),
  }),
  touch_costs: z.object({
    wecomCents: z.int().nonnegative(),
    smsCents: z.int().nonnegative(),
    guideTaskCents: z.int().nonnegative(),
  }),
} as const satisfies Record<string, z.ZodType>

export type SettingName = keyof typeof settingSchemas
export const SettingName = z.enum(Object.keys(settingSchemas) as [SettingName, ...SettingName[]])
export const SettingValue = z.record(z.string(), z.unknown())
export type Setting<Name extends SettingName> = z.infer<(typeof settingSchemas)[Name]>

export const settingDefaults: { [Name in SettingName]: Setting<Name> } = {
  lifecycle_bands: { brand: { silent: 90, nearSleep: 180, hibernating: 365, lost: 730 }, byCategory: {} },
  quiet_hours: { from: '21:00', to: '09:00' },
  caps: { marketingTouches: 2, withinDays: 7, momentsPerStaffAndDay: 3, slotMinutes: 15 },
  holdouts: { basePercent: 5, journeyPercent: 10 },
  freshness: { eventHours: 24, transactionalHours: 1 },
  touch_costs: { wecomCents: 0, smsCents: 5, guideTaskCents: 0 },
}
