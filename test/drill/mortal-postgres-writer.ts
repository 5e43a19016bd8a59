import writer from '../../plugins/postgres/writer.ts';
import { mortal } from './mortal.ts';

export default mortal(writer);
