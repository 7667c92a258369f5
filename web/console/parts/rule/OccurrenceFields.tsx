import { useQuery } from '@tanstack/react-query'
import { Select } from 'antd'
import { ruleEventName } from '../../../../contract/rule-events.ts'
import {
  type EventFilter,
  eventFields,
  type Occurrence,
  type RuleEvent,
  ruleEvents,
} from '../../../../contract/rule-parts.ts'
import { api } from '../../../client.ts'
import { channelName } from '../../../ui/channel-words.ts'
import { useLang, useWords } from '../../../ui/language.ts'
import { useStores } from '../use-stores.ts'
import { leafWords } from './leaf-words.ts'
import { PropertyFields } from './PropertyFields.tsx'
import { PurchaseFilter } from './PurchaseFilter.tsx'
import { Many } from './small-fields.tsx'
import { propertiesOf, useTracked } from './use-tracked.ts'

const PURCHASE = 'purchase'

/** A purchase or an event, and which of them. */
export function OccurrenceFields({
  what,
  onChange,
}: {
  what: Occurrence
  onChange: (what: Occurrence) => void
}) {
  const t = useWords(leafWords)
  const lang = useLang()
  const chosen = what.of === 'purchase' ? PURCHASE : what.filter.event
  return (
    <>
      <Select<RuleEvent | typeof PURCHASE>
        style={{ width: 150 }}
        aria-label={t('event')}
        value={chosen}
        options={[
          { value: PURCHASE, label: t('purchase') },
          ...ruleEvents.map((event) => ({ value: event, label: ruleEventName(event, lang) })),
        ]}
        onChange={(next) =>
          onChange(
            next === PURCHASE ? { of: 'purchase', filter: {} } : { of: 'event', filter: { event: next } },
          )
        }
      />
      {what.of === 'purchase' ? (
        <PurchaseFilter filter={what.filter} onChange={(filter) => onChange({ ...what, filter })} />
      ) : (
        <EventFilterFields filter={what.filter} onChange={(filter) => onChange({ ...what, filter })} />
      )}
    </>
  )
}

type FilterName = Exclude<keyof EventFilter, 'event'>

/** What can be asked of this kind of event; nothing chosen is all of them. */
export function EventFilterFields({
  filter,
  onChange,
}: {
  filter: EventFilter
  onChange: (filter: EventFilter) => void
}) {
  const t = useWords(leafWords)
  const lang = useLang()
  const stores = useStores()
  const seen = useTracked()
  const tracked = filter.event === 'tracked' ? seen : []
  const fields: readonly FilterName[] = eventFields[filter.event]
  const put = (name: Exclude<FilterName, 'properties'>, values: string[]): void => {
    const { [name]: _, ...others } = filter
    onChange(values.length > 0 ? { ...others, [name]: values } : others)
  }
  const namesLabel = t(filter.event === 'page_viewed' ? 'pages' : 'names')
  return (
    <>
      {fields.includes('names') ? (
        <Select
          mode="tags"
          style={{ minWidth: 150 }}
          aria-label={namesLabel}
          placeholder={namesLabel}
          value={filter.names ?? []}
          options={tracked.map(({ name }) => ({ value: name, label: name }))}
          onChange={(names: string[]) => put('names', names)}
        />
      ) : null}
      {fields.includes('channels') ? (
        <Select
          mode="tags"
          style={{ minWidth: 120 }}
          aria-label={t('channels')}
          placeholder={t('channels')}
          value={filter.channels ?? []}
          options={['wecom', 'sms'].map((channel) => ({ value: channel, label: channelName(channel, lang) }))}
          onChange={(channels: string[]) => put('channels', channels)}
        />
      ) : null}
      {fields.includes('stores') ? (
        <Many
          label={t('stores')}
          value={filter.stores ?? []}
          options={stores.map((store) => [store.id as string, store.name])}
          onChange={(chosen) => put('stores', chosen)}
        />
      ) : null}
      {fields.includes('journeys') ? (
        <Journeys value={filter.journeys ?? []} onChange={(journeys) => put('journeys', journeys)} />
      ) : null}
      {fields.includes('properties') ? (
        <PropertyFields
          properties={filter.properties ?? []}
          known={propertiesOf(tracked, filter.names)}
          onChange={(properties) => onChange({ ...filter, properties })}
        />
      ) : null}
    </>
  )
}

function Journeys({ value, onChange }: { value: readonly string[]; onChange: (value: string[]) => void }) {
  const t = useWords(leafWords)
  const journeys = useQuery(api.journeys.list.queryOptions())
  const items = journeys.data?.items ?? []
  return (
    <Many
      label={t('journeys')}
      value={value}
      options={items.map((journey) => [journey.id as string, journey.name])}
      onChange={onChange}
    />
  )
}
