import { pages, provokedStatuses } from './support/pages';
import { test } from './support/test';

// For people to look at: every page, in light and dark, on a phone and on a desk. Writes to `end2end/screenshots`.
test.use({ provokedStatuses });

for (const [name, visit] of Object.entries(pages)) {
  test(name, async ({ page, program, freshProgram, withProvider, withMail }) => {
    await visit(page, { program, freshProgram, withProvider, withMail });
    for (const colorScheme of ['light', 'dark'] as const) {
      for (const viewport of [{ width: 320, height: 640 }, { width: 1440, height: 900 }]) {
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
        await page.setViewportSize(viewport);
        await page.screenshot({ path: `screenshots/${name.replaceAll(/[ ',]+/g, '-')}-${colorScheme}-${viewport.width}.png`, fullPage: true });
      }
    }
  });
}
