/** The transformers that come with dray, one export each. */
export { default as digest } from './datax/digest.ts';
export { default as filter } from './datax/filter.ts';
export { default as groovy } from './datax/groovy.ts';
export { default as pad } from './datax/pad.ts';
export { default as replace } from './datax/replace.ts';
export { default as substr } from './datax/substr.ts';
