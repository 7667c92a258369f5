import { z } from 'zod'

/** Internal person number: 1… for known persons, from 2^30 on for anonymous visitors. Never shown outside. */
export const PersonId = z.int().positive().brand<'PersonId'>()
export type PersonId = z.infer<typeof PersonId>
export const ProfileId = z.int().positive().brand<'ProfileId'>()
export type ProfileId = z.infer<typeof ProfileId>
/** What the outside calls a person: a UUIDv7. */
export const PublicId = z.uuid().brand<'PublicId'>()
export type PublicId = z.infer<typeof PublicId>
export const SegmentId = z.int().positive().brand<'SegmentId'>()
export type SegmentId = z.infer<typeof SegmentId>
export const TagId = z.int().positive().brand<'TagId'>()
export type TagId = z.infer<typeof TagId>
export const TagGroupId = z.int().positive().brand<'TagGroupId'>()
export type TagGroupId = z.infer<typeof TagGroupId>
export const StaffId = z.uuid().brand<'StaffId'>()
export type StaffId = z.infer<typeof StaffId>
export const StoreId = z.uuid().brand<'StoreId'>()
export type StoreId = z.infer<typeof StoreId>
export const RegionId = z.uuid().brand<'RegionId'>()
export type RegionId = z.infer<typeof RegionId>
