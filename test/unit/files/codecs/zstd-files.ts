import { textOf } from './streams.ts';

/** What was packed: the first 1000 bytes of textOf, 300 times, and with less or nothing of it where it says so. */
export const packedText = Buffer.concat(Array.from({ length: 300 }, () => textOf(1000)));

/** Made by zstd 1.5.4 and pzstd, in base64. */
const base64 = {
  // `cat FILE | zstd -19`: no content size
  piped:
    'KLUv/QRohAgANpQtFKCp2v3ZXoTI/+/J7u6dkodflXUFLgAlACQAM3ZK6WdCnJuJqDGpSC7hYU09xlzazb/eeb0CDBgOhwKCBAYjAMFgcKCQsCDACKdEUenEsRqpiElk0g' +
    'q5Ck3dq2gtxLi2JsZs+SKkQ8+twi5/qQg37k0asZyw3tvKUVptE513rs/EsIdbdbMk18bQMlZflDdVXQE1Yfn3ndFC/M95Jj2VGDXxMbHZobOZ0C+b0/G18s0pZ+SbOBVG' +
    'qCFEVCCiRt7PcCtJCwdiCA7T6/v//38GFfzrE1PzA5a2zo0S0i2Ix8D3Scv/j7bek8H7MRLreozsMSFRoAjyTsUTGXwXCI/ww0+5R/jhJ04GWhVt2CpUAAAAAQD9/7v/uQ' +
    'YCRQAAAAEA3RMdAAF/ADfT',
  // `zstd -19 -c FILE`: with content size
  fromFile:
    'KLUv/aTgkwQAhAgANpQtFKCp2v3ZXoTI/+/J7u6dkodflXUFLgAlACQAM3ZK6WdCnJuJqDGpSC7hYU09xlzazb/eeb0CDBgOhwKCBAYjAMFgcKCQsCDACKdEUenEsRqpiE' +
    'lk0gq5Ck3dq2gtxLi2JsZs+SKkQ8+twi5/qQg37k0asZyw3tvKUVptE513rs/EsIdbdbMk18bQMlZflDdVXQE1Yfn3ndFC/M95Jj2VGDXxMbHZobOZ0C+b0/G18s0pZ+Sb' +
    'OBVGqCFEVCCiRt7PcCtJCwdiCA7T6/v//38GFfzrE1PzA5a2zo0S0i2Ix8D3Scv/j7bek8H7MRLreozsMSFRoAjyTsUTGXwXCI/ww0+5R/jhJ04GWhVt2CpUAAAAAQD9/7' +
    'v/uQYCRQAAAAEA3RMdAAF/ADfT',
  // `cat FILE | zstd -1 --no-check`
  unchecked:
    'KLUv/QBIdAkABhQtFKCp2v3ZXoTI/+/J7u6dkodflXUFLgAkACMANXZKh0yIczMRNSYVySU8rKnHmEu7+dc7r1eAAcPhUECQwGAEIBgMDhQSFgQYAUV04liNVMQkMqkYlp' +
    'zQtDT36rxoLcS4RmtizJZPOvTcKuzyl+5NGpET1ntbOUqrbaLzzvWZGPZwq26W5BpDy1h9Ud5UrlMiNWH5953RQvzPeSY9lRg18TGx2aEzE/plczq+VjennJFv4tRNRCBg' +
    'o8jhCvzrkyEnAn20wwtAToj3aEIsGojpa7t6bt8X2MyN6XxvxkRs4RvbLm5uXI6NjbFxYzZWbru43Xcftrvntt3c9r1v29W5nQEAbUaRYXkzeyLD8JodbKzcvo3tu9x9jW' +
    'Hfu7F9l9t3ufuWg30BKgfdxhhMAAAICQEA/P85EAJNAAAIdAEA3BMdCAE=',
  // `pzstd -c FILE`: a skippable frame first
  pzstd:
    'UCpNGAQAAAA1AQAAKLUv/QRYhAgABhQtFKCp2v3ZXoTI/+/J7u6dkodflXUFLgAkACMANXZKh0yIczMRNSYVySU8rKnHmEu7+dc7r1eAAcPhUECQwGAEIBgMDhQSFgQYAU' +
    'V04liNVMQkMqkYlpzQtDT36rxoLcS4RmtizJZPOvTcKuzyl+5NGpET1ntbOUqrbaLzzvWZGPZwq26W5BpDy1h9Ud5UrlMiNWH5953RQvzPeSY9lRg18TGx2aEzE/plczq+' +
    'VjennJFv4tRNRKgxYCiMLO9ncKNWHRLYiPTz/v//dwr86xPIC70AggnvwTCrv/ohgwfoY9PpO0nyfADGFTg0fE8H+q1+AhYgRhHkViey2BsShCgOrVjeBAtHfsMAUdGsrg' +
    'JMAAAICQEA/P85EAJNAAAIdAEA3BMdCAF/ADfT',
  // `zstd < /dev/null`
  empty: 'KLUv/SQAAQAAmenYUQ==',
  // `zstd -c FILE`, of its first 300 bytes: a single segment
  small:
    'KLUv/WQsAN0DABIHFBWgJ2328z9GCPH/e7I3pcjOtXpM6gh1jufuU+cobV564ZloWmV3rNqcoJE+f/tOJUeszPTer3ykKRZS5WQ1J6cQFMMgDI66BhxKwYA4EoE6EwAJa2' +
    'NQDuwLjIF9QTmwLzAG+97BGNgXlAP7gnJgX1AO7AtUOeg2xxqOE1M=',
};

export const zstdFiles = {
  piped: Buffer.from(base64.piped, 'base64'),
  fromFile: Buffer.from(base64.fromFile, 'base64'),
  unchecked: Buffer.from(base64.unchecked, 'base64'),
  pzstd: Buffer.from(base64.pzstd, 'base64'),
  empty: Buffer.from(base64.empty, 'base64'),
  small: Buffer.from(base64.small, 'base64'),
};
