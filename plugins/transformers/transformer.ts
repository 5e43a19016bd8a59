/** The transformers that come with dray, one export each. */
export { default as digest } from './datax/digest.ts';
export { default as filter } from './datax/filter.ts';
export { default as groovy } from './datax/groovy.ts';
export { default as pad } from './datax/pad.ts';
export { default as replace } from './datax/replace.ts';
export { default as substr } from './datax/substr.ts';
export { default as js } from './js/js.ts';
export { default as cast } from './own/cast.ts';
export { default as drop } from './own/drop.ts';
export { default as hash } from './own/hash.ts';
export { default as map } from './own/map.ts';
export { default as mask } from './own/mask.ts';
export { default as rename } from './own/rename.ts';
