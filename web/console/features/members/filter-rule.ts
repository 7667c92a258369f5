import type { Rule } from '../../../../contract/rule.ts'

export type Filter = Readonly<
  Record<
    'q' | 'kind' | 'lifecycle' | 'rfm' | 'source' | 'storeId' | 'guideId' | 'segmentId' | 'tagId',
    unknown
  >
>

/**
 * The filters as a rule, so that what is on the page can be saved as a segment; undefined where there is none, or where
 * one of them (a text, a guide) is none that the rule language knows.
 */
export function ruleOf(filter: Filter): Rule | undefined {
  if (filter.q !== undefined || filter.guideId !== undefined) return undefined
  const attribute = (name: string, value: unknown) =>
    value === undefined ? undefined : { kind: 'attribute', attribute: name, op: 'in', values: [value] }
  const rules = [
    filter.lifecycle === undefined ? undefined : { kind: 'lifecycle', states: [filter.lifecycle] },
    attribute('source', filter.source),
    attribute('kind', filter.kind),
    attribute('home_store', filter.storeId),
    filter.rfm === undefined ? undefined : { kind: 'rfm_group', groups: [filter.rfm] },
    filter.segmentId === undefined ? undefined : { kind: 'segment', segment: filter.segmentId },
    filter.tagId === undefined ? undefined : { kind: 'tag', tags: [filter.tagId], match: 'any' },
  ].filter((rule) => rule !== undefined)
  if (rules.length === 0) return undefined
  return (rules.length === 1 ? rules[0] : { kind: 'all', rules }) as Rule
}
