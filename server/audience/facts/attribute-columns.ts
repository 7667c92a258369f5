/** Columns of `person` by attribute of the rule language; every other one stands in its `attributes`. */
export const attributeColumns: Readonly<Record<string, string>> = {
  kind: 'kind',
  gender: 'gender',
  source: 'source',
  source_side: 'source_side',
  source_channel: 'source_channel',
  register_channel: 'register_channel',
  registration: 'registration',
  home_store: 'home_store_id',
  owner_staff: 'owner_staff_id',
  city: "nullif(city, '')",
  wecom: 'wecom',
  phone: 'phone',
}
