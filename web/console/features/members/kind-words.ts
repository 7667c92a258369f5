import { exportColumns } from '../../../../contract/exports.ts'

/** What a person is to the brand; in files the same words. */
export const kindWords = exportColumns.kind.words

export const kinds = Object.keys(kindWords) as (keyof typeof kindWords)[]
