// What every engine is told, and what is measured.
export const K = 10;
export const M = 16;
export const EF_CONSTRUCTION = 200;

export const RECALLS = [0.95, 0.99];
export const SHARES = [0.1, 0.01, 0.001]; // of the rows that a filter admits
export const FILTER_RECALL = 0.99;

export const EXACT_QUERIES = 20;
export const FILTER_QUERIES = 100;

export const LEAST_SECONDS = 0.2; // of one timing
