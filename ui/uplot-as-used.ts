/**
 * uPlot without what the page's charts never ask of it. uPlot decides by its options while it runs, so that no bundler sees which of its
 * parts stay unused; src/widgets/time-chart.tsx gives the same options always, and what they decide is written here in their place:
 * a third of uPlot is left out. tests/browser/plot.test.mjs holds what is drawn against the whole of uPlot.
 */
import type { Plugin } from 'vite';

/** What stands in uPlot, how often, and what it is where the options are time-chart's. */
type Decided = [text: string | RegExp, times: number, becomes: string];

const decided: Decided[] = [
  // All series have one x, which goes from left to right; scales are linear, and each says its range by a function.
  [/\bmode == 1\b/g, 16, 'true'],
  [/\bmode == 2\b/g, 16, 'false'],
  [/\b(scaleX|sx)\.ori == 0\b/g, 25, 'true'],
  [/\bscaleX\.ori == 1\b/g, 9, 'false'],
  [/\b(xScaleDistr|(\w+\.)?distr) +== +(2|3|4|100)\b/g, 36, 'false'],
  ['sc.distr >= 3', 1, 'false'],
  ['isObj(rn)', 1, 'false'],
  [/(?<=function snapNumY\(.*\) \{\n).*/g, 1, 'return nullNullTuple;'],
  ['[_min, _max] = rangeNum(_min, _max, rangePad, true);', 1, ';'],
  // Axes have no title, and the text at their ticks is of our own making: no dates.
  ['axis.label != null', 3, 'false'],
  [/timeAxisVals\(_tzDate, .*\)\)|timeAxisVal\(_tzDate, .*\)|timeSeriesVal\(_tzDate, .*?\)\)/g, 5, 'null'],
  [/(?<=const _timeAxisStamps = )\[\n[^;]*/g, 1, '[]'],
  // No legend, no focus, no bands, no bars of several colours or with round corners; a drag does not zoom by itself.
  ['= legend.show;', 1, '= false;'],
  ['= focus.prox >= 0;', 1, '= false;'],
  ['flags != 0 && bands.forEach(', 1, 'false && bands.forEach('],
  ['= bandFillClipDirs(u, seriesIdx)', 3, '= [0, 0]'],
  ['ifNull(u.bands, EMPTY_ARR).find(b => b.series[0] == seriesIdx)', 1, 'null'],
  ['dispFills != null', 1, 'false'],
  ['x0 != null && size != null', 1, 'false'],
  ['endRad == 0 && baseRad == 0', 1, 'true'],
  ['drag.setScale &&', 1, 'false &&'],
  // Of its functions, those that are called.
  [/\tself\.(addSeries|delSeries|batch|addBand|setBand|delBand|setLegend|setSeries|setScale|posToIdx) = .*/g, 10, ''],
  [/uPlot\.assign = assign;[^]*/g, 1, 'uPlot.paths = { bars };\nexport { uPlot as default };'],
];

export const uplotAsUsed: Plugin = {
  name: 'uplot-as-used',
  apply: 'build',
  transform: {
    filter: { id: /\/uPlot\.esm\.js$/ },
    handler(code) {
      for (const [text, times, becomes] of decided) {
        let found = 0;
        code = code.replaceAll(text, () => {
          found += 1;
          return becomes;
        });
        if (found !== times)
          this.error(
            `uPlot has ${String(text)} ${String(found)} times, not ${String(times)}: see what has become of it, and whether it may be left out`,
          );
      }
      return { code, map: null };
    },
  },
};
