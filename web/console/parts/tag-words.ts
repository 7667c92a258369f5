/** The axes of a tag (TAG-02…04, 10, 12) in words, with what each side means. */
export const tagWords = {
  dynamic: { zh: '动态', en: 'dynamic' },
  static: { zh: '静态', en: 'static' },
  subjective: { zh: '主观', en: 'subjective' },
  objective: { zh: '客观', en: 'objective' },
  fact: { zh: '事实', en: 'fact' },
  model: { zh: '模型', en: 'model' },
  single: { zh: '单一', en: 'single' },
  combined: { zh: '组合', en: 'combined' },
  guide: { zh: '导购', en: 'guide' },
  system: { zh: '系统', en: 'system' },
  synced: { zh: '同步', en: 'synced' },
  manual: { zh: '主动', en: 'by hand' },
  auto: { zh: '自动', en: 'automatic' },
  S: { zh: 'S 级', en: 'level S' },
  business: { zh: '业务', en: 'business' },
  brand: { zh: '品牌', en: 'brand' },
  custom: { zh: '自定义', en: 'custom' },
} as const

export const pairs = [
  ['volatility', ['dynamic', 'static']],
  ['subjectivity', ['objective', 'subjective']],
  ['derivation', ['fact', 'model']],
  ['composition', ['single', 'combined']],
] as const

export const pairWords = {
  volatility: { zh: '会不会变', en: 'Does it change?' },
  subjectivity: { zh: '谁说了算', en: 'Whose judgement?' },
  derivation: { zh: '怎么得来', en: 'How is it known?' },
  composition: { zh: '由几项组成', en: 'Made of' },
  volatilityNote: {
    zh: '静态标签打上后不变，修改需要原因',
    en: 'a static one stays; changing it takes a reason',
  },
  subjectivityNote: {
    zh: '主观来自人的判断，客观来自记录',
    en: 'subjective: somebody’s judgement; objective: a record',
  },
  derivationNote: { zh: '模型由计算推断，事实直接发生', en: 'a model infers; a fact happened' },
  compositionNote: { zh: '组合由多个条件合成', en: 'combined: of several conditions' },
} as const

export function isWord(value: unknown): value is keyof typeof tagWords {
  return typeof value === 'string' && value in tagWords
}
