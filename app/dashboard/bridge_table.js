// Bridges and how each is doing, as they are given. A row stays where it is when its numbers change: so does the focus.
export default {
  props: { rows: Array, columns: Array, chosen: Array, choosable: Boolean },
  emits: ["choose"],
  template: `
    <div class="wide tall keeps">
      <table class="stacked dense">
        <caption class="unseen">Bridges, newest first</caption>
        <thead>
          <tr>
            <th v-if="choosable" scope="col"><span class="unseen">Choose</span></th>
            <th scope="col" class="main-column">Bridge</th>
            <th scope="col">State</th>
            <th v-for="column in columns" scope="col" class="number">{{ column.head }}</th>
            <th scope="col" class="number">Lag</th>
            <th scope="col" class="number">Last event</th>
            <th scope="col" class="number">Missed</th>
            <th scope="col" class="number">Unpaid</th>
          </tr>
        </thead>
        <tbody>
          <tr v-for="row in rows" :key="row.id">
            <td v-if="choosable">
              <input type="checkbox" :aria-label="'Choose ' + row.name" :checked="chosen.includes(row.id)"
                     @change="$emit('choose', [row.id, $event.target.checked])">
            </td>
            <th scope="row"><a :href="row.path">{{ row.name }}</a><div class="faint">{{ row.between }}</div></th>
            <td data-label="State">
              <span :class="'state ' + row.look">{{ row.state }}</span>
              <div v-if="row.trouble" class="wrong-words">{{ row.trouble }}</div>
            </td>
            <td v-for="(column, index) in columns" class="number" :class="{ zero: !row.counts[index] }" :data-label="column.head">
              <a :href="column.path + row.id" :class="row.counts[index] ? column.look : 'faint'"
              >{{ row.counts[index].toLocaleString("en") }}</a>
              <a v-if="column.name === 'waiting' && row.forParent" class="of-these"
                 :href="'/records?doing=waiting_for_parent&bridge=' + row.id"
              >{{ row.forParent.toLocaleString("en") }} for their parent</a>
            </td>
            <td class="number" data-label="Lag">{{ row.lag }}</td>
            <td class="number" data-label="Last event">{{ row.heard }}</td>
            <td class="number" :class="{ zero: !row.missed }" data-label="Missed">
              <a :href="row.path" :class="row.missed ? '' : 'faint'">{{ row.missed.toLocaleString("en") }}</a>
            </td>
            <td class="number" :class="{ zero: !row.unpaid.length }" data-label="Unpaid">
              <div v-for="sum in row.unpaid" :title="'as of ' + row.asOf">{{ sum }}</div>
              <span v-if="!row.unpaid.length" class="faint">–</span>
            </td>
          </tr>
        </tbody>
      </table>
    </div>`,
};
