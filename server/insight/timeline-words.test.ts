import { expect, test } from 'vitest'
import { changedTitle } from './timeline-words.ts'

test('what somebody entered, left, or both at once is said with the names that are known', () => {
  expect(changedTitle(['甲', '乙'], [])).toEqual({ zh: '进入人群：甲、乙', en: 'Entered a segment: 甲, 乙' })
  expect(changedTitle([], ['甲'])).toEqual({ zh: '离开人群：甲', en: 'Left a segment: 甲' })
  expect(changedTitle(['甲'], ['乙'])).toEqual({
    zh: '人群调整：进入 甲；离开 乙',
    en: 'Segments changed: entered 甲; left 乙',
  })
  expect(changedTitle([], [])).toEqual({ zh: '人群调整', en: 'Segments changed' })
  expect(changedTitle(['1', '2', '3', '4', '5', '6', '7'], []).zh).toBe('进入人群：1、2、3、4、5等 7 个')
})
