// @ts-check
/* What the dialog says where the collector's words cannot be had. */
import { ENGLISH } from '../core.js';

export default ENGLISH;
