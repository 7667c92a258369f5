import { expect, test } from 'vitest'
import { keepPicture, testBrowser } from '../support/browser.ts'

test('the browser draws Chinese, so that screenshots can be read', async () => {
  const browser = await testBrowser()
  const page = await browser.newPage({ viewport: { width: 600, height: 220 } })
  await page.setContent(
    '<body style="font: 32px sans-serif"><p>留量 会员运营 沉睡唤醒</p><p style="font-weight:700">导购任务 ¥1,299.00</p></body>',
  )
  // A missing glyph is drawn as the same box for every character.
  const shapes = await page.evaluate(() => {
    const ink = (text: string) => {
      const canvas = document.createElement('canvas')
      const context = canvas.getContext('2d')
      if (context === null) throw new Error('no canvas')
      context.font = '32px sans-serif'
      context.fillText(text, 0, 40)
      return canvas.toDataURL()
    }
    return ['留', '量', '导', '购'].map(ink)
  })
  expect(new Set(shapes).size).toBe(4)
  await keepPicture(page, 'chinese')
  await page.close()
})
